# SPDX-License-Identifier: Apache-2.0
"""The few vLLM functions that LMCache's token database asks for, restated.

vLLM itself is not installed (it needs a GPU build of many GB). LMCache looks for its hash functions
and for init_none_hash in sys.modules, and falls back to Python's hash() and NONE_HASH = 0 without
them. This file restates those functions from vLLM's documented behaviour, over the same library
(cbor2), so that LMCache's own code runs the path that it takes inside vLLM. Whatever is proven with
it is proven against LMCache's real token database and RESTATED vLLM hash functions.

Generations:
  current   vLLM >= #27151: vllm.utils.hashing, digests are bytes
  cbor64    vLLM between #20511 and #23673: vllm.utils, sha256_cbor_64bit = low 64 bits as an int
"""

import contextlib
import hashlib
import os
import pickle
import sys
import types

NAMES = ("vllm", "vllm.utils", "vllm.utils.hashing", "vllm.v1", "vllm.v1.core",
         "vllm.v1.core.kv_cache_utils")


def _cbor(value):
    import cbor2

    return cbor2.dumps(value, canonical=True)


def sha256(value):
    return hashlib.sha256(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)).digest()


def sha256_cbor(value):
    return hashlib.sha256(_cbor(value)).digest()


def sha256_int(value):
    return int.from_bytes(sha256(value), "big")


def sha256_cbor_64bit(value):
    return int.from_bytes(sha256_cbor(value), "big") & ((1 << 64) - 1)


def _by_name(functions):
    def get_hash_fn_by_name(name):
        if name in functions:
            return functions[name]
        raise ValueError(f"Unsupported hash function: {name}")

    return get_hash_fn_by_name


def _modules(generation, seed):
    modules = {name: types.ModuleType(name) for name in NAMES}
    for name in NAMES:
        modules[name].__path__ = []
        if "." in name:
            parent, _, child = name.rpartition(".")
            setattr(modules[parent], child, modules[name])
    if generation == "current":
        functions = {"sha256": sha256, "sha256_cbor": sha256_cbor}
        home = modules["vllm.utils.hashing"]
    elif generation == "cbor64":
        functions = {"sha256": sha256_int, "sha256_cbor_64bit": sha256_cbor_64bit}
        home = modules["vllm.utils"]
        del modules["vllm.utils.hashing"], modules["vllm.utils"].hashing
    else:
        raise ValueError(f"unknown vllm generation {generation!r}: none, current or cbor64")
    for name, function in functions.items():
        setattr(home, name, function)
    home.get_hash_fn_by_name = _by_name(functions)
    cache_utils = modules["vllm.v1.core.kv_cache_utils"]

    def init_none_hash(hash_fn):
        # vLLM: random without PYTHONHASHSEED, else the hash of the seed as text.
        if seed is None:
            value = os.urandom(32)
            cache_utils.NONE_HASH = value if generation == "current" else int.from_bytes(value, "big")
        else:
            cache_utils.NONE_HASH = hash_fn(seed)

    cache_utils.init_none_hash = init_none_hash
    return modules


@contextlib.contextmanager
def installed(generation, seed):
    """Puts the restated modules into sys.modules for the length of a with block."""
    if generation in (None, "none"):
        yield
        return
    modules = _modules(generation, seed)
    before = {name: sys.modules.get(name) for name in NAMES}
    try:
        for name in NAMES:
            if name in modules:
                sys.modules[name] = modules[name]
            else:
                sys.modules[name] = None  # makes its import fail
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
