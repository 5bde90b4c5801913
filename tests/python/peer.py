#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real LMCache behind a pipe: the Python side of the interop and differential tests.

One JSON object per line on standard input, one reply per line on standard output, in order:

    {"id": 1, "op": "exists", "key": "model@1@0@2a@half"}
    {"id": 1, "ok": true, "exists": false}
    {"id": 2, "ok": false, "exception": "ValueError", "message": "..."}

Nothing else is ever written to standard output; LMCache logs to standard error, and what it logged
at WARNING or above during a call is repeated in the reply as "log". The connectors, the key and the
header code, the allocator and the token database are LMCache's own. PROTOCOL.md lists the calls.

    peer.py                            LMCache as installed (0.5.6)
    peer.py --lmcache-version 0.4.3    an older release, unpacked by setup.sh
    peer.py --self-test redis://...    shows every call against a running Redis
"""

import argparse
import asyncio
import base64
import collections
import dataclasses
import hashlib
import importlib
import inspect
import json
import logging
import os
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lmcache-version", help="an older release under --old")
    parser.add_argument("--old", default=os.path.join(os.path.dirname(sys.prefix), "old"),
                        help="where setup.sh unpacked the older releases")
    parser.add_argument("--self-test", metavar="URL", help="run the self check against a Redis")
    return parser.parse_args()


ARGS = parse_arguments()
if ARGS.self_test:
    sys.path.insert(0, HERE)
    import self_test

    sys.exit(self_test.main(ARGS.self_test, __file__))

# Standard output belongs to the protocol alone: whatever else prints goes to standard error.
OUT = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
os.dup2(2, 1)
os.environ.setdefault("LMCACHE_LOG_LEVEL", "WARNING")
os.environ.setdefault("LMCACHE_TRACK_USAGE", "false")

if ARGS.lmcache_version:
    _old = os.path.join(ARGS.old, ARGS.lmcache_version)
    if not os.path.isdir(os.path.join(_old, "lmcache")):
        _why = _old + ".missing"
        _reason = open(_why, encoding="utf-8").read().strip() if os.path.exists(_why) else \
            "setup.sh did not unpack it"
        sys.stderr.write(f"peer: LMCache {ARGS.lmcache_version} is not at {_old}: {_reason}\n")
        sys.exit(3)
    sys.path.insert(0, _old)

import msgspec  # noqa: E402
import numpy  # noqa: E402
import torch  # noqa: E402

sys.path.append(HERE)
import restated_vllm  # noqa: E402

# ---- what LMCache logs is part of its behaviour ----------------------------------------------

LOG = collections.deque(maxlen=200)
_call_handlers = logging.Logger.callHandlers


def _capture(self, record):
    if record.levelno >= logging.WARNING and record.name.startswith("lmcache"):
        LOG.append(f"{record.levelname} {record.getMessage()}")
    _call_handlers(self, record)


logging.Logger.callHandlers = _capture

# ---- imports that may fail in one release or another ------------------------------------------

MODULES = {}
FAILED = {}


def load(name, module):
    try:
        MODULES[name] = importlib.import_module(module)
    except BaseException as e:  # noqa: BLE001 - a native module may raise anything
        FAILED[name] = f"{type(e).__name__}: {e}"


load("utils", "lmcache.utils")
load("protocol", "lmcache.v1.protocol")
load("memory_management", "lmcache.v1.memory_management")
load("token_database", "lmcache.v1.token_database")
load("config", "lmcache.v1.config")


def need(name):
    if name in FAILED:
        raise RuntimeError(f"lmcache {name} could not be imported: {FAILED[name]}")
    return MODULES[name]


PROTOCOL = MODULES.get("protocol")
UTILS = MODULES.get("utils")
FORMAT = getattr(MODULES.get("memory_management"), "MemoryFormat", None)
REMOTE_FIELDS = [f.name for f in dataclasses.fields(PROTOCOL.RemoteMetadata)] if PROTOCOL else []
KEY_FIELDS = {f.name for f in dataclasses.fields(UTILS.CacheEngineKey) if f.init} if UTILS else ()


def accepts(function):
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return None
    return set(parameters)


def only_accepted(function, values):
    names = accepts(function)
    return values if names is None else {k: v for k, v in values.items() if k in names}


# ---- small conversions ------------------------------------------------------------------------

DTYPES = {None: None}
DTYPE_NAMES = {None: None}
for _name in ("float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32",
              "int64", "bool", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
              "float8_e5m2fnuz", "uint16", "uint32", "uint64", "complex64"):
    if hasattr(torch, _name):
        DTYPES[_name] = getattr(torch, _name)
        DTYPE_NAMES[DTYPES[_name]] = _name
Size = torch.Size


def to_format(value):
    return FORMAT[value] if isinstance(value, str) else FORMAT(value)


def affine(length, seed):
    base = ((numpy.arange(251, dtype=numpy.int64) * 7 + seed) % 251).astype(numpy.uint8)
    return numpy.resize(base, length) if length else numpy.empty(0, numpy.uint8)


def payload(spec):
    """The bytes that a request means, as a numpy array."""
    if "rule" in spec:
        if spec["rule"] != "affine":
            raise ValueError(f"unknown payload rule {spec['rule']!r}")
        return affine(spec["length"], spec.get("seed", 0))
    if "base64" in spec:
        return numpy.frombuffer(base64.b64decode(spec["base64"]), numpy.uint8)
    if "hex" in spec:
        return numpy.frombuffer(bytes.fromhex(spec["hex"]), numpy.uint8)
    if "file" in spec:
        return numpy.fromfile(spec["file"], numpy.uint8)
    raise ValueError("payload needs rule, base64, hex or file")


def to_key(spec):
    """A key object from its string (LMCache's own parser) or its fields."""
    utils = need("utils")
    if isinstance(spec, str):
        if hasattr(utils, "parse_cache_key"):
            return utils.parse_cache_key(spec)
        return utils.CacheEngineKey.from_string(spec)
    if "hash_bytes" in spec:  # digest kept whole (0.3.13 to 0.4.5)
        value = bytes.fromhex(spec["hash_bytes"])
    elif "hash_text" in spec:  # 0.3.0 to 0.3.2 hold text
        value = spec["hash_text"]
    else:  # an integer, or signed hexadecimal text as it stands in a key
        value = spec["hash"]
        if isinstance(value, str):
            value = int(value, 16)
    fields = {
        "fmt": spec.get("prefix", "vllm"),
        "model_name": spec["model"],
        "world_size": spec["world_size"],
        "worker_id": spec["worker_id"],
        "chunk_hash": value,
        "dtype": DTYPES[spec.get("dtype")],
        "request_configs": request_configs(spec),
    }
    fields = {k: v for k, v in fields.items() if k in KEY_FIELDS}
    if spec.get("layer_id") is not None:
        return utils.LayerCacheEngineKey(layer_id=spec["layer_id"], **fields)
    return utils.CacheEngineKey(**fields)


def request_configs(spec):
    """Tags as [[name, value], ...], or the raw request_configs of vLLM's kv_transfer_params."""
    if spec.get("tags") is not None:
        return {"lmcache.tag." + name: value for name, value in spec["tags"]}
    return spec.get("request_configs")


def hash_text(value):
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else f"{value:x}"


# ---- header and key calls ---------------------------------------------------------------------

GROUPS = None


def use_groups(count):
    """The number of groups is a process-wide variable in LMCache (from 0.3.12)."""
    global GROUPS
    if count != GROUPS and hasattr(PROTOCOL, "init_remote_metadata_info"):
        PROTOCOL.init_remote_metadata_info(count)
        GROUPS = count


def metadata_encode(request):
    need("protocol")
    shapes = [Size(s) for s in request["shapes"]]
    dtypes = [DTYPES[d] for d in request["dtypes"]]
    fmt = to_format(request["fmt"])
    use_groups(request.get("num_groups", len(shapes)))
    if "shapes" in REMOTE_FIELDS:
        data = PROTOCOL.RemoteMetadata(request["length"], shapes, dtypes, fmt).serialize()
    else:
        if len(shapes) != 1 or len(dtypes) != 1:
            raise NotImplementedError("this release describes exactly one group")
        data = PROTOCOL.RemoteMetadata(request["length"], shapes[0], dtypes[0], fmt).serialize()
    return {"hex": data.hex()}


def metadata_decode(request):
    need("protocol")
    use_groups(request.get("num_groups", 1))
    meta = PROTOCOL.RemoteMetadata.deserialize(memoryview(bytes.fromhex(request["hex"])))
    if "shapes" in REMOTE_FIELDS:
        shapes, dtypes = meta.shapes, meta.dtypes
    else:
        shapes, dtypes = [meta.shape], [meta.dtype]
    return {"length": meta.length, "fmt": meta.fmt.value, "shapes": [list(s) for s in shapes],
            "dtypes": [DTYPE_NAMES[d] for d in dtypes]}


def key_format(request):
    return {"key": to_key(request["key"]).to_string()}


def key_parse(request):
    utils = need("utils")
    via = request.get("via")
    if via is None:
        parse = getattr(utils, "parse_cache_key", utils.CacheEngineKey.from_string)
    else:
        parse = {"parse_cache_key": getattr(utils, "parse_cache_key", None),
                 "CacheEngineKey": utils.CacheEngineKey.from_string,
                 "LayerCacheEngineKey": utils.LayerCacheEngineKey.from_string}[via]
        if parse is None:
            raise NotImplementedError(f"this release has no {via}")
    key = parse(request["key"])
    tags = getattr(key, "tags", None)
    reply = {"kind": type(key).__name__, "model": key.model_name, "world_size": key.world_size,
             "worker_id": key.worker_id, "hash": hash_text(key.chunk_hash),
             "dtype": DTYPE_NAMES.get(getattr(key, "dtype", None)),
             "layer_id": getattr(key, "layer_id", None),
             "tags": None if tags is None else [list(t) for t in tags],
             "string": key.to_string()}
    return reply


# ---- tokens to keys ---------------------------------------------------------------------------

DATABASES = {}


def make_config(values):
    cls = need("config").LMCacheEngineConfig
    return cls.from_defaults(**only_accepted(cls.from_defaults, values))


def metadata_class():
    for name in ("lmcache.v1.metadata", "lmcache.config"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        for cls in ("LMCacheMetadata", "LMCacheEngineMetadata"):
            if hasattr(module, cls):
                return getattr(module, cls)
    raise RuntimeError("no LMCacheMetadata in this release")


def make_metadata(request, extra=None):
    cls = metadata_class()
    mla = request.get("use_mla", False)
    world, worker = request.get("world_size", 1), request.get("worker_id", 0)
    chunk = request.get("chunk_size", 256)
    layers, heads, head_size = request.get("layers", 4), request.get("heads", 2), \
        request.get("head_size", 64)
    values = {
        "model_name": request.get("model", "model"), "world_size": world,
        "local_world_size": world, "worker_id": worker, "local_worker_id": worker,
        "fmt": "vllm", "kv_dtype": DTYPES[request.get("dtype", "bfloat16")],
        "kv_shape": (layers, 1 if mla else 2, chunk, 1 if mla else heads, head_size),
        "use_mla": mla, "role": request.get("role", "worker"), "chunk_size": chunk,
    }
    values.update(extra or {})
    fields = {f.name for f in dataclasses.fields(cls) if f.init}
    return cls(**{k: v for k, v in values.items() if k in fields})


def database(request):
    module = need("token_database")
    seed = request.get("hash_seed", os.environ.get("PYTHONHASHSEED"))
    if seed == "random":
        seed = None
    vllm = request.get("vllm", "none")
    algorithm = request.get("algorithm", "builtin")
    extra = request.get("extra_config")
    tag = (vllm, algorithm, seed, request.get("chunk_size", 256),
           request.get("save_unfull_chunk", False), request.get("use_mla", False),
           request.get("model", "model"), request.get("world_size", 1),
           request.get("worker_id", 0), request.get("dtype", "bfloat16"),
           json.dumps(extra, sort_keys=True))
    found = DATABASES.get(tag)
    if found is None:
        config = make_config({"chunk_size": request.get("chunk_size", 256),
                              "save_unfull_chunk": request.get("save_unfull_chunk", False),
                              "pre_caching_hash_algorithm": algorithm, "extra_config": extra,
                              "local_cpu": False})
        with restated_vllm.installed(vllm, seed):
            instance = module.ChunkedTokenDatabase(config, make_metadata(request))
        function = getattr(instance, "hash_func", None)
        if vllm != "none" and function is hash and seed != os.environ.get("PYTHONHASHSEED"):
            raise ValueError("Python's hash() of text depends on the PYTHONHASHSEED that the "
                             "process was started with: start another peer for another seed")
        found = (instance, getattr(module, "NONE_HASH", None),
                 getattr(function, "__name__", str(function)))
        if len(DATABASES) > 4096:
            DATABASES.clear()
        DATABASES[tag] = found
    return module, found


def tokens_to_keys(request):
    module, (instance, none_hash, function) = database(request)
    if request.get("none_hash") is not None:
        none_hash = int(request["none_hash"])
    elif request.get("none_hash_bytes") is not None:
        none_hash = bytes.fromhex(request["none_hash_bytes"])
    if hasattr(module, "NONE_HASH"):
        module.NONE_HASH = none_hash  # process-wide in LMCache; set back to what this one computed
    tokens = request["tokens"]
    if isinstance(tokens, dict):
        vocabulary = tokens.get("vocab", 32000)
        tokens = [(i * 7919 + tokens.get("seed", 0)) % vocabulary for i in range(tokens["count"])]
    if request.get("as_tensor"):
        tokens = torch.tensor(tokens, dtype=torch.long)
    mask = None
    if request.get("mask") is not None:
        mask = torch.tensor(request["mask"], dtype=torch.bool)
    elif request.get("mask_false"):
        mask = torch.ones(len(tokens), dtype=torch.bool)
        mask[:request["mask_false"]] = False
    arguments = {"tokens": tokens, "mask": mask, "make_key": request.get("make_key", True),
                 "request_configs": request_configs(request)}
    arguments = only_accepted(instance.process_tokens, arguments)
    layers = request.get("split_layers")
    chunks = []
    for start, end, key in instance.process_tokens(**arguments):
        if isinstance(key, (int, bytes, str)):
            chunks.append([start, end, hash_text(key)])
        elif layers:
            chunks.append([start, end, [k.to_string() for k in key.split_layers(layers)]])
        else:
            chunks.append([start, end, key.to_string()])
    return {"chunks": chunks, "none_hash": None if none_hash is None else hash_text(none_hash),
            "hash_function": function}


# ---- RemoteBackend ----------------------------------------------------------------------------

SESSIONS = {}


def event_loop():
    """A loop in a thread, as LMCache's StorageManager has; one per session, since LMCache's own
    close() may block it for good."""
    loop = asyncio.new_event_loop()
    start = getattr(UTILS, "start_loop_in_thread_with_exceptions", None)
    target = (lambda: start(loop)) if start else loop.run_forever
    threading.Thread(target=target, name="lmcache-loop", daemon=True).start()
    return loop


class Session:
    """One LMCache RemoteBackend with its LocalCPUBackend, built as its StorageManager does."""

    def __init__(self, request):
        load("remote_backend", "lmcache.v1.storage_backend.remote_backend")
        load("local_cpu_backend", "lmcache.v1.storage_backend.local_cpu_backend")
        remote = need("remote_backend").RemoteBackend
        local = need("local_cpu_backend").LocalCPUBackend
        chunk = request.get("chunk_size", 256)
        self.loop = event_loop()
        values = {
            "chunk_size": chunk, "local_cpu": False,
            "max_local_cpu_size": request.get("max_local_cpu_size", 0.5),
            "remote_url": request["url"], "remote_serde": request.get("remote_serde", "naive"),
            "use_layerwise": request.get("layerwise", False),
            "enable_blending": request.get("blending", False),
            "save_unfull_chunk": request.get("save_unfull_chunk", False),
            "blocking_timeout_secs": request.get("blocking_timeout_secs", 10),
            "extra_config": request.get("extra_config"),
        }
        values.update(request.get("config", {}))
        self.config = make_config(values)
        groups = request.get("groups")
        self.metadata = make_metadata(
            request, {"kv_layer_groups_manager": layer_groups(groups, chunk)} if groups else None)
        self.local = local(**only_accepted(local, {
            "config": self.config, "metadata": self.metadata, "dst_device": "cpu"}))
        if request.get("poison") is not None:
            self.local.memory_allocator.buffer.fill_(request["poison"])
        self.backend = remote(**only_accepted(remote, {
            "config": self.config, "metadata": self.metadata, "loop": self.loop,
            "local_cpu_backend": self.local, "dst_device": "cpu"}))

    def connector(self):
        connector = self.backend.connection
        return getattr(connector, "_connector", connector)

    def object(self, request):
        """A memory object holding the request's payload."""
        memory = need("memory_management")
        data = payload(request["payload"])
        if request.get("opaque"):
            return memory.BytesBufferMemoryObj(data.tobytes())
        fmt = to_format(request.get("fmt", "KV_2LTD"))
        shapes = [Size(s) for s in request["shapes"]]
        dtypes = [DTYPES[d] for d in request["dtypes"]]
        if any(name in request for name in ("meta_shapes", "meta_dtypes", "meta_fmt")):
            # A description that LMCache's allocator would not hand out.
            raw = torch.from_numpy(data.copy())
            described = memory.MemoryObjMetadata(
                shape=shapes[0], dtype=dtypes[0], address=0, phy_size=raw.numel(), ref_count=1,
                fmt=fmt, shapes=shapes, dtypes=dtypes)
            result = memory.TensorMemoryObj(raw, described, parent_allocator=None)
            if "meta_shapes" in request:
                result.meta.shapes = [Size(s) for s in request["meta_shapes"]]
            if "meta_dtypes" in request:
                result.meta.dtypes = [DTYPES[d] for d in request["meta_dtypes"]]
            if "meta_fmt" in request:
                result.meta.fmt = to_format(request["meta_fmt"])
            return result
        plural = "shapes" in inspect.signature(self.local.allocate).parameters
        if plural:
            result = self.local.allocate(shapes, dtypes, fmt, eviction=False)
        else:
            result = self.local.allocate(shapes[0], dtypes[0], fmt, eviction=False)
        if result is None:
            raise MemoryError("LMCache's local CPU backend has no room: raise max_local_cpu_size")
        view = numpy.frombuffer(result.byte_array, numpy.uint8)
        if view.size != data.size:
            result.ref_count_down()
            raise ValueError(f"payload has {data.size} bytes, shapes and dtypes need {view.size}")
        view[:] = data
        return result


def layer_groups(groups, chunk):
    """LMCache's layer groups, one per entry {"layers", "heads", "head_size", "dtype", "kv_size"}.

    Made by hand: LMCache builds them from an engine's registered GPU caches."""
    module = importlib.import_module("lmcache.v1.kv_layer_groups")
    made = []
    first = 0
    for group in groups:
        layers, heads, size = (group.get("layers", 1), group.get("heads", 1),
                               group.get("head_size", 64))
        dtype = DTYPES[group["dtype"]]
        indices = list(range(first, first + layers))
        first += layers
        if not hasattr(module, "KernelGroupInfo"):  # up to 0.4.4
            made.append(module.KVLayerGroupInfo(
                layer_names=[f"model.layers.{i}" for i in indices], layer_indices=indices,
                shape=Size([2, 1, chunk, heads, size]), dtype=dtype))
            continue
        owner = module if hasattr(module, "PageBufferShapeDesc") else module.lmc_ops
        described = owner.PageBufferShapeDesc()
        for name, value in (("kv_size", group.get("kv_size", 2)), ("nl", layers), ("nb", 1),
                            ("bs", chunk), ("nh", heads), ("hs", size),
                            ("element_size", dtype.itemsize)):
            setattr(described, name, value)
        made.append(module.KernelGroupInfo(layer_indices=indices, shape_desc=described,
                                           dtype=dtype, tokens_per_block=chunk))
    if not hasattr(module, "KernelGroupInfo"):
        return module.KVLayerGroupsManager(kv_layer_groups=made)
    manager = object.__new__(module.KVLayerGroupsManager)
    manager._kernel_groups = made
    manager._object_groups = []
    return manager


def session(request):
    name = request.get("session", "default")
    if name not in SESSIONS:
        raise KeyError(f"no open session {name!r}")
    return SESSIONS[name]


def op_open(request):
    global GROUPS
    name = request.get("session", "default")
    GROUPS = None  # a connector sets LMCache's process-wide group count
    opened = Session(request)
    SESSIONS[name] = opened
    connector = opened.connector()
    return {"session": name, "connected": connector is not None,
            "connector": type(connector).__name__ if connector is not None else None,
            "mla_reads_worker_0": getattr(opened.backend, "_mla_worker_id_as0_mode", None),
            "full_chunk_bytes": getattr(connector, "full_chunk_size_bytes", None),
            "metadata_bytes": getattr(connector, "remote_metadata_bytes", None)}


class LateReturn:
    """LMCache's native client, except that it returns from submitting only after a while."""

    def __init__(self, client, seconds):
        self._inner = client
        self._seconds = seconds

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def submit_batch_exists(self, keys):
        number = self._inner.submit_batch_exists(keys)
        time.sleep(self._seconds)
        return number


def op_late_return(request):
    """What a busy machine does now and then, each time: see PROTOCOL.md."""
    client = session(request).connector().client
    client._client = LateReturn(client._client, request["seconds"])
    return {}


def restore_groups(opened):
    """Header calls and other sessions change the process-wide group count: give this one's back."""
    use_groups(getattr(opened.metadata, "get_num_groups", lambda: 1)())


def wait(future, request, default=30):
    return future.result(request.get("timeout", default))


def op_put(request):
    opened = session(request)
    restore_groups(opened)
    key = to_key(request["key"])
    data = opened.object(request)
    before = getattr(opened.backend, "put_failed_count", 0)
    future = opened.backend.submit_put_task(key, data)
    error = None
    if future is not None:
        try:
            wait(future, request)
        except Exception as e:  # noqa: BLE001
            error = {"exception": type(e).__name__, "message": str(e)}
    data.ref_count_down()  # the engine's own reference; the connector gave back the other
    reply = {"key": key.to_string(),
             "put_failed_count": getattr(opened.backend, "put_failed_count", 0) - before}
    if error:
        reply.update(error)
        reply["ok"] = False
    return reply


def describe(result, request):
    if result is None:
        return None
    data = memoryview(result.byte_array).cast("B")
    reply = {"length": len(data), "fmt": result.get_memory_format().value,
             "shapes": [list(s) for s in getattr(result, "get_shapes", lambda: [
                 result.get_shape()])()],
             "dtypes": [DTYPE_NAMES[d] for d in getattr(result, "get_dtypes", lambda: [
                 result.get_dtype()])()],
             "object": type(result).__name__}
    if request.get("sha256", True):
        reply["sha256"] = hashlib.sha256(data).hexdigest()
    want = request.get("want")
    if want == "base64":
        reply["base64"] = base64.b64encode(data).decode("ascii")
    elif want:
        raise ValueError(f"want {want!r}: only base64; use file for large payloads")
    result.ref_count_down()
    return reply


def op_get(request):
    opened = session(request)
    restore_groups(opened)
    key = to_key(request["key"])
    result = opened.backend.get_blocking(key)
    if result is None:
        return {"found": False}
    if "file" in request:
        with open(request["file"], "wb") as f:
            f.write(memoryview(result.byte_array).cast("B"))
    return {"found": True, **describe(result, request)}


def op_exists(request):
    return {"exists": session(request).backend.contains(to_key(request["key"]))}


def op_batched_put(request):
    opened = session(request)
    restore_groups(opened)
    keys = [to_key(item["key"]) for item in request["items"]]
    objects = [opened.object(item) for item in request["items"]]
    done = threading.Semaphore(0)
    completed = []

    def complete(key):
        completed.append(key)
        done.release()

    before = getattr(opened.backend, "put_failed_count", 0)
    started = time.perf_counter()
    arguments = only_accepted(opened.backend.batched_submit_put_task, {
        "keys": keys, "memory_objs": objects, "on_complete_callback": complete})
    opened.backend.batched_submit_put_task(**arguments)
    if "on_complete_callback" in arguments:
        deadline = time.monotonic() + request.get("timeout", 30)
        for _ in keys:
            if not done.acquire(timeout=max(0.0, deadline - time.monotonic())):
                break
    else:  # releases without the callback (0.3.12 and older): nothing tells when it is done
        time.sleep(request.get("settle", 0.3))
    took = time.perf_counter() - started
    for item in objects:
        item.ref_count_down()
    known = "on_complete_callback" in arguments
    return {"keys": [k.to_string() for k in keys], "completed": len(completed) if known else None,
            "put_failed_count": getattr(opened.backend, "put_failed_count", 0) - before,
            "seconds": took}


def op_batched_get(request):
    opened = session(request)
    restore_groups(opened)
    keys = [to_key(k) for k in request["keys"]]
    mode = request.get("mode", "blocking")
    if mode == "blocking":
        results = opened.backend.batched_get_blocking(keys)
    elif mode == "non_blocking":
        results = wait(asyncio.run_coroutine_threadsafe(
            opened.backend.batched_get_non_blocking("lookup", keys), opened.loop), request)
    else:
        raise ValueError(f"mode {mode!r}: blocking or non_blocking")
    return {"count": len(results), "results": [describe(r, request) for r in results]}


def op_batched_contains(request):
    opened = session(request)
    keys = [to_key(k) for k in request["keys"]]
    mode = request.get("mode", "async")
    if mode == "async":
        count = wait(asyncio.run_coroutine_threadsafe(
            opened.backend.batched_async_contains("lookup", keys), opened.loop), request)
    elif mode == "sync":
        count = opened.backend.batched_contains(keys)
    else:
        raise ValueError(f"mode {mode!r}: async or sync")
    return {"count": count}


def op_remove(request):
    return {"removed": session(request).backend.remove(to_key(request["key"]))}


def op_close(request):
    """LMCache's own close, given a limit: it may block its event loop for good."""
    name = request.get("session", "default")
    opened = SESSIONS.pop(name)
    thread = threading.Thread(target=opened.backend.close, daemon=True)
    thread.start()
    thread.join(request.get("timeout", 3))
    hung = thread.is_alive()
    return {"closed": not hung, "hung": hung}


def op_forget(request):
    """Drops a session without LMCache's close (its connections end with the process)."""
    SESSIONS.pop(request.get("session", "default"))
    return {}


# ---- the rest ---------------------------------------------------------------------------------

def version_of(distribution):
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def op_info(request):
    import lmcache

    for name, module in (("remote_backend", "lmcache.v1.storage_backend.remote_backend"),
                         ("redis_connector", "lmcache.v1.storage_backend.connector.redis_connector"),
                         ("resp_native", "lmcache.lmcache_redis"),
                         ("valkey_connector",
                          "lmcache.v1.storage_backend.connector.valkey_connector"),
                         ("valkey_glide", "glide_sync"), ("valkey_glide_async", "glide"),
                         ("cbor2", "cbor2")):
        if name not in MODULES and name not in FAILED:
            load(name, module)
    installed = ARGS.lmcache_version or version_of("lmcache")
    return {"lmcache": installed, "lmcache_says": getattr(lmcache, "__version__", None),
            "lmcache_path": os.path.dirname(lmcache.__file__),
            "python": sys.version.split()[0], "torch": torch.__version__,
            "redis": version_of("redis"), "cbor2": version_of("cbor2"),
            "valkey_glide_sync": version_of("valkey-glide-sync"),
            "cuda_available": torch.cuda.is_available(),
            "pythonhashseed": os.environ.get("PYTHONHASHSEED"), "byteorder": sys.byteorder,
            "pid": os.getpid(), "imported": sorted(MODULES), "not_imported": FAILED,
            "restated": ["vllm hash functions and init_none_hash (restated_vllm.py)"],
            "remote_metadata_fields": REMOTE_FIELDS, "key_fields": sorted(KEY_FIELDS),
            "formats": {f.name: f.value for f in FORMAT} if FORMAT else None,
            "dtype_to_int": [[DTYPE_NAMES.get(k, str(k)), v]
                             for k, v in getattr(PROTOCOL, "DTYPE_TO_INT", {}).items()],
            "ops": sorted(OPS)}


def op_payload(request):
    data = payload(request["payload"])
    reply = {"length": int(data.size), "sha256": hashlib.sha256(data).hexdigest()}
    if data.size <= 4096:
        reply["base64"] = base64.b64encode(data.tobytes()).decode("ascii")
    return reply


def op_python_hash(request):
    """Python's own hash(): of text, an integer, or a nested list read as tuples."""
    def freeze(value):
        return tuple(freeze(v) for v in value) if isinstance(value, list) else value

    return {"hash": str(hash(freeze(request["value"])))}


def op_batch(request):
    return {"results": [answer(r) for r in request["requests"]]}


def op_exit(request):
    return {}


OPS = {
    "info": op_info, "payload": op_payload, "python_hash": op_python_hash, "batch": op_batch,
    "metadata_encode": metadata_encode, "metadata_decode": metadata_decode,
    "key_format": key_format, "key_parse": key_parse, "tokens_to_keys": tokens_to_keys,
    "open": op_open, "put": op_put, "get": op_get, "exists": op_exists,
    "batched_put": op_batched_put, "batched_get": op_batched_get,
    "batched_contains": op_batched_contains, "lookup": op_batched_contains,
    "remove": op_remove, "close": op_close, "forget": op_forget, "exit": op_exit,
    "late_return": op_late_return,
}


def answer(request):
    try:
        operation = OPS.get(request["op"])
        if operation is None:
            raise ValueError(f"unknown op {request['op']!r}")
        reply = operation(request)
        if "ok" not in reply:
            reply["ok"] = True
    except Exception as e:  # noqa: BLE001 - the exception is the answer
        reply = {"ok": False, "exception": type(e).__name__, "message": str(e)}
        if "trace" in request:
            reply["trace"] = traceback.format_exc()
    if "id" in request:
        reply["id"] = request["id"]
    if LOG:
        reply["log"] = list(LOG)
        LOG.clear()
    return reply


DECODER = msgspec.json.Decoder()
ENCODER = msgspec.json.Encoder()


def decode(line):
    try:
        return DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(line)  # lone surrogates, integers beyond 64 bits


def encode(reply):
    try:
        return ENCODER.encode(reply)
    except (OverflowError, UnicodeEncodeError, TypeError, ValueError):
        return json.dumps(reply).encode("ascii")


def end_with_parent():
    """Ends this process when its parent is gone, even if LMCache has blocked the main thread."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            request = decode(line)
        except ValueError as e:
            OUT.write(encode({"ok": False, "exception": "BadRequest", "message": str(e)}) + b"\n")
            OUT.flush()
            continue
        OUT.write(encode(answer(request)) + b"\n")
        OUT.flush()
        if request.get("op") == "exit":
            break
    OUT.flush()
    sys.stderr.flush()
    os._exit(0)  # LMCache's native threads may never end


if __name__ == "__main__":
    main()
