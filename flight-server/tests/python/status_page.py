"""The status page in headless Chromium: what it shows, that nothing in it runs, and that its button ends a query.

TITHE_SCREENSHOTS=FOLDER keeps pictures of the pages."""

import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

chromium, driver, address, user, password = sys.argv[1:]
pictures = os.environ.get("TITHE_SCREENSHOTS")

options = webdriver.ChromeOptions()
options.binary_location = chromium
for argument in [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=1400,1000",
    f"--user-data-dir={tempfile.mkdtemp()}",
]:
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))


def picture(name):
    if pictures:
        browser.save_screenshot(str(Path(pictures) / f"status-{name}.png"))


def text(selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


try:
    browser.get(f"http://{quote(user)}:{quote(password, safe='')}@{address}/status")
    assert browser.title == "Queries – Tithe", browser.title
    assert text(".who .user") == user, text(".who")
    assert "南區國稅局" in text(".who"), text(".who")
    # What a statement holds is text and no element.
    statement = text("#running td.statement")
    assert "<script>稅</script>" in statement, statement
    assert not browser.find_elements(By.TAG_NAME, "script")
    states = [state.text for state in browser.find_elements(By.CSS_SELECTOR, "#ended .state")]
    assert states == ["failed", "done", "done"], states
    assert "division by zero" in text("#ended .error")
    assert "納稅義務人" in text("#ended") and "縣市" in text("#ended")
    # The sheet of styles was let in.
    band = browser.find_element(By.TAG_NAME, "header").value_of_css_property("background-color")
    assert band not in ("rgba(0, 0, 0, 0)", "transparent"), band
    wide = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} px stand out"
    picture("queries")

    browser.find_elements(By.CSS_SELECTOR, "#ended a")[2].click()
    assert "DataSourceExec" in text("pre.plan"), text("main")
    picture("query")
    browser.back()
    browser.find_elements(By.CSS_SELECTOR, "#ended a")[1].click()
    assert "table that you see in part" in text("main"), text("main")

    browser.find_element(By.LINK_TEXT, "Catalog").click()
    assert "some, by rule" in text("main"), text("main")
    picture("catalog")
    browser.find_element(By.LINK_TEXT, "tax.taxpayer").click()
    assert "masked" in text("main") and "63000" not in text("main"), text("main")
    picture("table")

    browser.find_element(By.LINK_TEXT, "Queries").click()
    browser.find_element(By.CSS_SELECTOR, "#running button").click()
    WebDriverWait(browser, 30).until(
        lambda page: page.get(f"http://{address}/status") or not page.find_elements(By.CSS_SELECTOR, "#running button")
    )
    states = [state.text for state in browser.find_elements(By.CSS_SELECTOR, "#ended .state")]
    assert states == ["cancelled", "failed", "done", "done"], states
    browser.set_window_size(420, 900)
    picture("narrow")
    problems = [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]]
    assert not problems, problems
finally:
    browser.quit()
print("ended by its owner")
