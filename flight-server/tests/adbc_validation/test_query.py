from adbc_drivers_validation.tests.query import TestQuery, generate_tests
from tithe_quirks import QUIRKS


def pytest_generate_tests(metafunc):
    generate_tests(QUIRKS, metafunc)
