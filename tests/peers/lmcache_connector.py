#!/usr/bin/env python3
"""Times LMCache's own connectors, driven through RemoteBackend as LMCacheEngine drives them.

    lmcache_connector.py --url redis://127.0.0.1:6379
    lmcache_connector.py --connector resp --url resp://127.0.0.1:6379 --threads 8

What is timed, per round:
  put  from the call of RemoteBackend.batched_submit_put_task(keys, memory_objs), which
       LMCacheEngine.store reaches through StorageManager.batched_put, to the last key's
       on_complete_callback (it runs when the connector's future is done). The memory objects are
       allocated and filled before: in an engine that is the copy from the GPU.
  get  RemoteBackend.batched_get_blocking(keys), which LMCacheEngine.retrieve reaches, from call to
       return: lookup of the header, allocation in LMCache's CPU arena, transfer and copy into it.
       Giving the objects back is not timed.
Each round writes and reads the same keys. CPU is time.process_time() of this process over the timed
parts (all threads, user and system), divided by the GiB moved. Warm-up rounds are left out, one
round's bytes are compared, the keys are deleted at the end. The result is one JSON object.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import threading
import time

os.environ.setdefault("LMCACHE_LOG_LEVEL", "ERROR")
os.environ.setdefault("LMCACHE_TRACK_USAGE", "false")

GIB = 1 << 30


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connector", choices=["redis", "resp", "valkey"],
                        help="default: the URL's scheme")
    parser.add_argument("--url", required=True)
    parser.add_argument("--chunk-mib", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", "--connections", type=int, default=8,
                        help="workers of resp:// and valkey:// (redis:// decides by itself)")
    parser.add_argument("--keep", action="store_true", help="leave the keys in the server")
    return parser.parse_args()


def main():
    args = arguments()
    scheme, rest = args.url.split("://", 1)
    connector = args.connector or {"rediss": "redis", "unix": "redis"}.get(scheme, scheme)
    url = args.url if scheme in (connector, "rediss", "unix") else f"{connector}://{rest}"

    import numpy
    import torch
    from importlib.metadata import version
    from lmcache.utils import CacheEngineKey
    from lmcache.v1.config import LMCacheEngineConfig
    from lmcache.v1.memory_management import MemoryFormat
    from lmcache.v1.metadata import LMCacheMetadata
    from lmcache.v1.storage_backend.local_cpu_backend import LocalCPUBackend
    from lmcache.v1.storage_backend.remote_backend import RemoteBackend

    # [2, layers, 256, 1024] bfloat16 with layers = MiB: 32 layers are a Llama 3 8B chunk.
    shape = torch.Size([2, args.chunk_mib, 256, 1024])
    chunk = args.chunk_mib << 20
    config = LMCacheEngineConfig.from_defaults(
        chunk_size=256, local_cpu=False, remote_url=url, remote_serde="naive",
        max_local_cpu_size=chunk * (3 * args.batch + 1) / GIB, blocking_timeout_secs=120,
        save_unfull_chunk=False,
        extra_config={"save_chunk_meta": False, "resp_num_threads": args.threads,
                      "valkey_num_workers": args.threads})
    metadata = LMCacheMetadata(
        model_name="lmcache4j-bench", world_size=1, local_world_size=1, worker_id=0,
        local_worker_id=0, kv_dtype=torch.bfloat16, kv_shape=(args.chunk_mib, 2, 256, 8, 128),
        role="worker", chunk_size=256)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    local = LocalCPUBackend(config, metadata, dst_device="cpu")
    backend = RemoteBackend(config, metadata, loop, local, dst_device="cpu")
    if backend.connection is None:
        sys.exit(f"no connection to {url}")
    keys = [CacheEngineKey("lmcache4j-bench", 1, 0, 1000 + i, torch.bfloat16)
            for i in range(args.batch)]
    base = ((numpy.arange(251, dtype=numpy.int64) * 7) % 251).astype(numpy.uint8)

    def expected(i):
        return numpy.resize(numpy.roll(base, -i), chunk)

    objects = []
    for i in range(args.batch):
        item = local.allocate([shape], [torch.bfloat16], MemoryFormat.KV_2LTD, eviction=False)
        numpy.frombuffer(item.byte_array, numpy.uint8)[:] = expected(i)
        objects.append(item)

    def put():
        done = threading.Semaphore(0)
        cpu, start = time.process_time(), time.perf_counter()
        backend.batched_submit_put_task(keys, objects,
                                        on_complete_callback=lambda key: done.release())
        for _ in keys:
            if not done.acquire(timeout=120):
                sys.exit("put: no completion in 120 s")
        return time.perf_counter() - start, time.process_time() - cpu

    def get(check=False):
        cpu, start = time.process_time(), time.perf_counter()
        found = backend.batched_get_blocking(keys)
        result = time.perf_counter() - start, time.process_time() - cpu
        for i, item in enumerate(found):
            if item is None:
                sys.exit(f"get: key {i} is missing")
            if check and not numpy.array_equal(
                    numpy.frombuffer(item.byte_array, numpy.uint8), expected(i)):
                sys.exit(f"get: key {i} has other bytes")
            item.ref_count_down()
        return result

    def measure(step):
        for _ in range(args.warmup):
            step()
        rounds = [step() for _ in range(args.rounds)]
        size = args.batch * chunk / GIB
        speeds = [size / wall for wall, _ in rounds]
        return {"gib_per_s": round(statistics.median(speeds), 4),
                "gib_per_s_min": round(min(speeds), 4), "gib_per_s_max": round(max(speeds), 4),
                "cpu_s_per_gib": round(statistics.median(c / size for _, c in rounds), 4),
                "rounds_s": [round(wall, 5) for wall, _ in rounds]}

    put_result = measure(put)
    get(check=True)
    get_result = measure(get)
    inner = getattr(backend.connection, "_connector", backend.connection)
    print(json.dumps({
        "peer": f"lmcache {connector}://", "connector": type(inner).__name__,
        "lmcache": version("lmcache"), "python": sys.version.split()[0],
        "redis_py": version("redis"), "chunk_bytes": chunk, "batch": args.batch,
        "rounds": args.rounds, "warmup": args.warmup,
        "connections": args.threads if connector != "redis" else None,
        "put": put_result, "get": get_result}), flush=True)
    if not args.keep:
        import redis

        host = url.split("://", 1)[1]
        db = redis.Redis.from_url(url if connector == "redis" else f"redis://{host}")
        for key in keys:
            text = key.to_string()
            db.delete(text, text + "metadata", text + "kv_bytes")
    sys.stdout.flush()
    os._exit(0)  # LMCache's own close() may block for good


if __name__ == "__main__":
    main()
