#!/usr/bin/env python3
"""Compiles search.cu and income.cu to PTX, for compute capability 7.5 and later; needs no GPU.

build.py               writes search.ptx and income.ptx
build.py --check       compares with those that are here, byte for byte
build.py --resources   prints the registers and spills of each kernel, by GPU

Needs nvidia-cuda-nvrtc-cu12==12.4.127 in the Python that runs it; for --resources nvidia-cuda-nvcc==13.0.88 instead.
"""
import ctypes
import importlib.util
import itertools
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
KERNELS = ["search", "income"]
GPUS = ["sm_75", "sm_80", "sm_90"]
KERNEL = (
    r"Compiling entry function '(\w+)'[\s\S]*?(\d+) bytes spill stores, (\d+) bytes spill loads"
    r"[\s\S]*?Used (\d+) registers"
)
OPTIONS = [b"--fmad=false", b"--gpu-architecture=compute_75", b"--std=c++17"]


def library():
    found = importlib.util.find_spec("nvidia.cuda_nvrtc")
    if found is None:
        sys.exit("NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12==12.4.127")
    folder = pathlib.Path(next(iter(found.submodule_search_locations))) / "lib"
    ctypes.CDLL(str(folder / "libnvrtc-builtins.so.12.4"), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(folder / "libnvrtc.so.12"))


def text(nvrtc, program, size_of, get):
    size = ctypes.c_size_t()
    getattr(nvrtc, size_of)(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, get)(program, buffer)
    return buffer.value


def compiled(nvrtc, name):
    program, file = ctypes.c_void_p(), f"{name}.cu"
    source = (HERE / file).read_bytes()
    headers = (ctypes.c_char_p * 1)((HERE / "elementary.cuh").read_bytes())
    names = (ctypes.c_char_p * 1)(b"elementary.cuh")
    if nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, file.encode(), 1, headers, names):
        sys.exit(f"NVRTC did not take {file}")
    failed = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), (ctypes.c_char_p * len(OPTIONS))(*OPTIONS))
    sys.stderr.write(text(nvrtc, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog").decode())
    if failed:
        sys.exit(f"{file} does not compile")
    return text(nvrtc, program, "nvrtcGetPTXSize", "nvrtcGetPTX")


def resources():
    wheels = importlib.util.find_spec("nvidia")
    folders = wheels.submodule_search_locations if wheels else []
    ptxas = next((path for path in (pathlib.Path(folder) / "cu13/bin/ptxas" for folder in folders) if path.exists()), None)
    if ptxas is None:
        sys.exit("ptxas is not installed: pip install nvidia-cuda-nvcc==13.0.88")
    for gpu, name in itertools.product(GPUS, KERNELS):
        command = [ptxas, "-v", "-arch", gpu, "-o", "/dev/null", HERE / f"{name}.ptx"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        for kernel, stores, loads, registers in re.findall(KERNEL, told):
            print(f"{gpu} {kernel}: {registers} registers, {stores} bytes of spills stored, {loads} loaded")


def main():
    if sys.argv[1:] == ["--resources"]:
        return resources()
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    nvrtc = library()
    for name in KERNELS:
        ptx, kept = compiled(nvrtc, name), HERE / f"{name}.ptx"
        if not sys.argv[1:]:
            kept.write_bytes(ptx)
        elif not kept.exists() or kept.read_bytes() != ptx:
            sys.exit(f"{name}.ptx is not what {name}.cu compiles to: run udfs/cuda/kernels/build.py")


if __name__ == "__main__":
    main()
