#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the CUDA build of torch load on a machine without the CUDA libraries.

PyPI's torch for Linux x86_64 is the CUDA build: its shared objects name libcudart, libcublas,
libcudnn and so on as needed libraries, 4 GB of them, though the CPU code never calls one. This
script compiles an empty stand-in for each: every symbol that torch asks for exists, every
function answers 100 (cudaErrorNoDevice), so torch sees no GPU and runs on the CPU. No line of
torch or LMCache is changed.

    cuda_stubs.py SITE_PACKAGES

Needs a C compiler (cc) and readelf. Setup falls back to the real libraries when this fails.
"""

import os
import re
import subprocess
import sys
import tempfile

# Symbols without a version are told apart by name.
PREFIXES = (
    ("cuFile", "libcufile.so.0"),
    ("cusparseLt", "libcusparseLt.so.0"),
    ("nccl", "libnccl.so.2"),
    ("nvshmem", "libnvshmem_host.so.3"),
)
CUDA = re.compile(
    r"^lib(cuda|cudart|cublas|cublasLt|cudnn|cufft|cufile|cupti|curand|cusolver|cusparse|"
    r"cusparseLt|nccl|nvJitLink|nvToolsExt|nvrtc|nvshmem_host)\.so"
)


def readelf(*args):
    return subprocess.run(
        ["readelf", "-W", *args], check=True, capture_output=True, text=True
    ).stdout


def scan(path, libs):
    """Adds what one shared object wants: libs[soname][symbol] = version or None."""
    for soname in re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path)):
        if CUDA.match(soname):
            libs.setdefault(soname, {})
    files = {}
    current = None
    for line in readelf("-V", path).splitlines():
        match = re.search(r"File: (\S+)", line)
        if match:
            current = match.group(1)
            continue
        match = re.search(r"Name: (\S+)\s+Flags", line)
        if match and current and CUDA.match(current):
            files[match.group(1)] = current
    for line in readelf("--dyn-syms", path).splitlines():
        field = line.split()
        if len(field) < 8 or field[6] != "UND":
            continue
        name, _, version = field[7].partition("@")
        if field[3] == "TLS" or not name:
            continue
        if version:
            if version in files:
                libs.setdefault(files[version], {})[name] = version
        else:
            for prefix, soname in PREFIXES:
                if name.startswith(prefix):
                    libs.setdefault(soname, {})[name] = None


def build(soname, symbols, target):
    versions = sorted({v for v in symbols.values() if v})
    with tempfile.TemporaryDirectory() as work:
        source = os.path.join(work, "stub.c")
        with open(source, "w", encoding="ascii") as out:
            # Functions that promise a string must not answer with a number.
            for name in sorted(symbols):
                if re.search(r"(GetErrorString|GetErrorName|GetStatusString|GetLastError|"
                             r"GetStatusName|GetResultString)$", name) and not name.startswith(
                                 "cuda" + "GetLastError"):
                    out.write(f'const char* {name}(void) {{ return "stub: no CUDA here"; }}\n')
                else:
                    out.write(f"long {name}(void) {{ return 100; }}\n")
            out.write("int lmcache4j_cuda_stub = 1;\n")
        command = ["cc", "-shared", "-fPIC", "-O1", "-w", "-fno-builtin", f"-Wl,-soname,{soname}"]
        if versions:
            script = os.path.join(work, "stub.map")
            with open(script, "w", encoding="ascii") as out:
                for version in versions:
                    names = "; ".join(sorted(n for n, v in symbols.items() if v == version))
                    out.write(f"{version} {{ global: {names}; }};\n")
            command.append(f"-Wl,--version-script,{script}")
        subprocess.run([*command, "-o", target, source], check=True)


def main():
    site = sys.argv[1]
    torch_lib = os.path.join(site, "torch", "lib")
    libs = {}
    for name in sorted(os.listdir(torch_lib)):
        if ".so" in name:
            scan(os.path.join(torch_lib, name), libs)
    libs.pop("libcuda.so.1", None)  # the driver: torch opens it by itself, and copes without
    target_dir = os.path.join(site, "nvidia", "cu13", "lib")
    os.makedirs(target_dir, exist_ok=True)
    for soname, symbols in sorted(libs.items()):
        build(soname, symbols, os.path.join(target_dir, soname))
    print(f"cuda_stubs: {len(libs)} libraries, {sum(map(len, libs.values()))} symbols",
          file=sys.stderr)


if __name__ == "__main__":
    main()
