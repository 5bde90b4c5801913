# SPDX-License-Identifier: Apache-2.0
"""The peer's self check: every call, through the pipe, against a running Redis.

    peer.py --self-test redis://127.0.0.1:6379      writes and deletes keys of model "selftest" only
"""

import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import threading

DTYPES = {"float16": (2, 2, "half"), "bfloat16": (3, 2, "bfloat16"), "float32": (4, 4, "float"),
          "float64": (5, 8, "double"), "uint8": (6, 1, "uint8"),
          "float8_e4m3fn": (7, 1, "fp8_e4m3fn"), "float8_e5m2": (8, 1, "fp8_e5m2")}


class Peer:
    def __init__(self, script, *arguments, seed="0"):
        environment = dict(os.environ, PYTHONHASHSEED=seed)
        self.process = subprocess.Popen(
            [sys.executable, script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment)
        self.number = 0

    def raw(self, op, **fields):
        self.send(op, **fields)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended during {op}: {self.process.wait()}")
        reply = json.loads(answer)
        assert reply["id"] == self.number
        return reply

    def send(self, op, **fields):
        self.number += 1
        line = json.dumps({"id": self.number, "op": op, **fields})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def silent(self, seconds, op, **fields):
        """True when the call gets no answer in that time; the peer is then good for nothing."""
        self.send(op, **fields)
        got = []
        thread = threading.Thread(target=lambda: got.append(self.process.stdout.readline()),
                                  daemon=True)
        thread.start()
        thread.join(seconds)
        return not got

    def kill(self):
        self.process.kill()
        self.process.wait()

    def call(self, op, **fields):
        reply = self.raw(op, **fields)
        if not reply["ok"]:
            raise RuntimeError(f"{op}: {reply}")
        return reply

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=20)


def affine(length, seed):
    return bytes((i * 7 + seed) % 251 for i in range(length))


def spec(length, seed):
    return {"rule": "affine", "seed": seed, "length": length}


def numel(shape):
    count = 1
    for d in shape:
        count *= d
    return count


def main(url, script):
    import redis

    db = redis.Redis.from_url(url)
    passed = []

    def check(name, condition, detail=""):
        if not condition:
            raise AssertionError(f"{name} {detail}")
        passed.append(name)
        print(f"ok {len(passed)} {name}", flush=True)

    def clean():
        for key in db.scan_iter("selftest@*", count=1000):
            db.delete(key)

    clean()
    peer = Peer(script)
    info = peer.call("info")
    check("info", info["lmcache"] == "0.5.6" and info["pythonhashseed"] == "0", info)
    check("payload rule", peer.call("payload", payload=spec(1000, 9))["base64"]
          == base64.b64encode(affine(1000, 9)).decode())

    opened = peer.call("open", url=url, model="selftest", chunk_size=16, dtype="bfloat16",
                       layers=4, heads=2, head_size=64, poison=170)
    check("open", opened["connected"] and opened["connector"] == "RedisConnector"
          and opened["full_chunk_bytes"] == 2 * 4 * 16 * 128 * 2, opened)

    def roundtrip(name, key, shapes, dtypes, fmt, fmt_int, seed, session="default"):
        length = sum(numel(s) * DTYPES[d][1] for s, d in zip(shapes, dtypes))
        peer.call("put", session=session, key=key, shapes=shapes, dtypes=dtypes, fmt=fmt,
                  payload=spec(length, seed))
        text = key if isinstance(key, str) else peer.call("key_format", key=key)["key"]
        data = affine(length, seed)
        header = struct.pack("<2i", length, fmt_int)
        for shape, dtype in zip(shapes, dtypes):
            header += struct.pack("<5i", DTYPES[dtype][0], *(shape + [0] * (4 - len(shape))))
        check(name + ": Redis holds header and payload",
              db.get(text + "metadata") == header and db.get(text + "kv_bytes") == data,
              (db.get(text + "metadata"), header))
        got = peer.call("get", session=session, key=key)
        check(name + ": get", got["found"] and got["sha256"] == hashlib.sha256(data).hexdigest()
              and got["shapes"] == shapes and got["dtypes"] == dtypes and got["fmt"] == fmt_int
              and got["length"] == length, got)
        check(name + ": exists", peer.call("exists", session=session, key=key)["exists"])

    for number, (dtype, (_, _, text)) in enumerate(DTYPES.items()):
        roundtrip(f"KV_2LTD {dtype}", f"selftest@1@0@{number:x}@{text}", [[2, 4, 16, 128]],
                  [dtype], "KV_2LTD", 1, number)
    refused = peer.raw("put", key="selftest@1@0@aa@int8", shapes=[[2, 1, 2, 2]], dtypes=["int8"],
                       payload=spec(8, 1))
    check("int8 is refused", not refused["ok"] and refused["exception"] == "KeyError"
          and refused["message"] == "torch.int8", refused)
    roundtrip("partial chunk", "selftest@1@0@b0@bfloat16", [[2, 4, 5, 128]], ["bfloat16"],
              "KV_2LTD", 1, 4)
    roundtrip("one byte", "selftest@1@0@b1@uint8", [[1]], ["uint8"], "KV_2LTD", 1, 5)
    roundtrip("KV_MLA_FMT", "selftest@1@0@b2@bfloat16", [[1, 4, 16, 576]], ["bfloat16"],
              "KV_MLA_FMT", 6, 6)
    roundtrip("layerwise KV_T2D", "selftest@1@0@b3@half@2", [[16, 2, 128]], ["float16"],
              "KV_T2D", 2, 7)
    roundtrip("layerwise KV_2TD", "selftest@1@0@b4@half@11", [[2, 16, 128]], ["float16"],
              "KV_2TD", 3, 8)
    roundtrip("layerwise MLA", "selftest@1@0@b5@bfloat16@0", [[16, 576]], ["bfloat16"],
              "KV_MLA_FMT", 6, 9)
    roundtrip("EC_TD", "selftest@1@0@b6@half", [[16, 128]], ["float16"], "EC_TD", 7, 10)
    roundtrip("HS_TD", "selftest@1@0@b7@half", [[16, 128]], ["float16"], "HS_TD", 8, 11)
    roundtrip("negative hash", {"model": "selftest", "world_size": 8, "worker_id": 3,
                                "hash": -5313149338359954478, "dtype": "float16"},
              [[2, 1, 16, 8]], ["float16"], "KV_2LTD", 1, 12)
    roundtrip("unsigned hash", {"model": "selftest", "world_size": 8, "worker_id": 3,
                                "hash": 18446744073709551615, "dtype": "float16"},
              [[2, 1, 16, 8]], ["float16"], "KV_2LTD", 1, 13)
    roundtrip("tags in order", {"model": "selftest", "world_size": 1, "worker_id": 0,
                                "hash": "-c0", "dtype": "float16",
                                "tags": [["user", "z"], ["app", "1%2"]]},
              [[2, 1, 16, 8]], ["float16"], "KV_2LTD", 1, 14)
    check("tags in the key", db.exists("selftest@1@0@-c0@half@user%z@app%1%2metadata") == 1)

    opaque = peer.call("put", key="selftest@1@0@c1@half", opaque=True, payload=spec(77, 1))
    check("opaque put", db.get("selftest@1@0@c1@halfmetadata")
          == struct.pack("<7i", 77, 5, 0, 77, 0, 0, 0), opaque)
    got = peer.call("get", key="selftest@1@0@c1@half")
    check("opaque get", got["dtypes"] == [None] and got["shapes"] == [[77, 0, 0, 0]]
          and got["sha256"] == hashlib.sha256(affine(77, 1)).hexdigest(), got)

    # Batches.
    keys = [f"selftest@1@0@d{i}@bfloat16" for i in range(5)]
    items = [{"key": k, "shapes": [[2, 4, 16, 128]], "dtypes": ["bfloat16"],
              "payload": spec(32768, i)} for i, k in enumerate(keys)]
    put = peer.call("batched_put", items=items)
    check("batched_put", put["completed"] == 5 and put["put_failed_count"] == 0, put)
    sums = [hashlib.sha256(affine(32768, i)).hexdigest() for i in range(5)]
    for mode in ("blocking", "non_blocking"):
        got = peer.call("batched_get", keys=keys, mode=mode)
        check(f"batched_get {mode}", [r["sha256"] for r in got["results"]] == sums, got)
    check("lookup", peer.call("lookup", keys=keys)["count"] == 5)
    check("batched_contains sync", peer.call("batched_contains", keys=keys, mode="sync")["count"]
          == 5)
    db.delete(keys[2] + "metadata")
    check("lookup stops at a hole", peer.call("lookup", keys=keys)["count"] == 2)
    got = peer.call("batched_get", keys=keys, mode="blocking")
    check("blocking batch keeps the hole", [r and r["sha256"] for r in got["results"]]
          == [sums[0], sums[1], None, sums[3], sums[4]], got)
    got = peer.call("batched_get", keys=keys, mode="non_blocking")
    check("LMCache bug: non-blocking batch shifts past a hole",
          got["count"] == 4 and [r["sha256"] for r in got["results"]]
          == [sums[0], sums[1], sums[3], sums[4]], got)

    # Behaviour where lmcache4j differs on purpose.
    refused = peer.raw("put", key="selftest@1@0@e0@bfloat16", shapes=[[2, 1, 2, 2]],
                       dtypes=["bfloat16"], meta_dtypes=[], payload=spec(16, 1))
    check("the seed's failure: one shape, no dtype", not refused["ok"]
          and refused["exception"] == "ValueError"
          and refused["message"] == "zip() argument 2 is shorter than argument 1"
          and refused["put_failed_count"] == 1, refused)
    refused = peer.raw("metadata_encode", length=16, fmt=1, shapes=[[2, 1, 2, 2]], dtypes=[],
                       num_groups=1)
    check("the same in the header code", refused["message"]
          == "zip() argument 2 is shorter than argument 1", refused)
    items[1] = dict(items[1], key="selftest@1@0@e2@bfloat16", meta_dtypes=[])
    items[0]["key"], items[2]["key"] = "selftest@1@0@e1@bfloat16", "selftest@1@0@e3@bfloat16"
    put = peer.call("batched_put", items=items[:3])
    check("LMCache: a failed batched put completes and counts no failure",
          put["completed"] == 3 and put["put_failed_count"] == 0
          and not db.exists("selftest@1@0@e2@bfloat16metadata"), put)
    print(f"#   logged: {put.get('log')}")
    stale = "selftest@1@0@e4@uint8"
    db.set(stale + "kv_bytes", b"1234")
    db.set(stale + "metadata", struct.pack("<7i", 4, 1, 6, 1, 1, 1, 16))
    got = peer.call("get", key=stale, want="base64")
    body = base64.b64decode(got["base64"])
    check("LMCache bug: a short header leaves stale memory in the tail",
          got["found"] and got["length"] == 16 and body[:4] == b"1234", got)
    print(f"#   tail: {body[4:].hex()}")
    db.set(stale + "metadata", struct.pack("<7i", 8, 1, 6, 1, 1, 1, 8))
    check("value shorter than the header is a miss", not peer.call("get", key=stale)["found"])
    for fmt in (0, 4):
        peer.call("put", key=f"selftest@1@0@e{5 + fmt}@half", shapes=[[2, 1, 2, 2]],
                  dtypes=["float16"], meta_fmt=fmt, payload=spec(16, 1))
        check(f"LMCache writes format {fmt} and can't read it", not peer.call(
            "get", key=f"selftest@1@0@e{5 + fmt}@half")["found"])
    db.delete(keys[3] + "kv_bytes")
    check("metadata without kv_bytes is a miss", not peer.call("get", key=keys[3])["found"])
    check("and LMCache deletes the metadata", db.exists(keys[3] + "metadata") == 0)
    removed = peer.call("remove", key=keys[0])
    check("remove is not implemented", removed["removed"] is False and db.exists(
        keys[0] + "metadata") == 1, removed)

    # Groups.
    four = [{"layers": 1, "heads": 1, "head_size": 8, "dtype": d}
            for d in ("bfloat16", "float32", "uint8", "float8_e5m2")]
    for count in (1, 2, 3, 4):
        opened = peer.call("open", session=f"g{count}", url=url, model="selftest", chunk_size=4,
                           groups=four[:count], max_local_cpu_size=0.05)
        check(f"open with {count} groups", opened["metadata_bytes"] == 8 + 20 * count, opened)
        roundtrip(f"{count} groups", f"selftest@1@0@f{count}@bfloat16", [[2, 1, 4, 8]] * count,
                  [g["dtype"] for g in four[:count]], "KV_2LTD", 1, 20 + count, f"g{count}")

    # MLA: keys of world size 1, rank 1 reads rank 0's key and writes nothing.
    peer.call("open", session="mla", url=url, model="selftest", chunk_size=16, use_mla=True,
              world_size=2, worker_id=1, head_size=576, max_local_cpu_size=0.05)
    peer.call("put", session="mla", key="selftest@1@1@f8@bfloat16", fmt="KV_MLA_FMT",
              shapes=[[1, 4, 16, 576]], dtypes=["bfloat16"], payload=spec(73728, 2))
    check("MLA rank 1 writes nothing", db.exists("selftest@1@1@f8@bfloat16metadata") == 0)
    check("MLA rank 1 reads rank 0", peer.call("get", session="mla",
                                               key="selftest@1@1@b2@bfloat16")["found"])
    peer.call("open", session="layers", url=url, model="selftest", layerwise=True, chunk_size=16,
              max_local_cpu_size=0.05)
    roundtrip("session with use_layerwise", "selftest@1@0@f9@bfloat16@0", [[16, 2, 128]],
              ["bfloat16"], "KV_T2D", 2, 3, "layers")

    # Header and key code alone.
    got = peer.call("metadata_decode", hex=struct.pack("<7i", 9, 2, 3, 1, 2, 0, 0).hex())
    check("metadata_decode", got["shapes"] == [[1, 2]] and got["dtypes"] == ["bfloat16"]
          and got["fmt"] == 2 and got["length"] == 9, got)
    bad = peer.raw("metadata_decode", hex="00" * 27)
    check("truncated header", bad["exception"] == "error", bad)
    got = peer.call("key_parse", key="m@8@1@-4dc3@half@7@a%b%c")
    check("key_parse", got["kind"] == "LayerCacheEngineKey" and got["layer_id"] == 7
          and got["tags"] == [["a", "b%c"]] and got["hash"] == "-4dc3", got)
    bad = peer.raw("key_parse", key="m@8@1@zz@half")
    check("key_parse error", bad["exception"] == "ValueError", bad)

    # Tokens to keys.
    tokens = list(range(100, 111))
    got = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, model="selftest")
    check("tokens builtin", len(got["chunks"]) == 2 and got["none_hash"] == "0", got)
    full = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, save_unfull_chunk=True,
                     model="selftest", tags=[["t", "v"]])
    check("tokens with a partial chunk and a tag", len(full["chunks"]) == 3
          and full["chunks"][2][:2] == [8, 11] and full["chunks"][0][2]
          == got["chunks"][0][2] + "@t%v", full)
    masked = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, mask_false=4,
                       model="selftest")
    check("tokens with a mask", masked["chunks"] == got["chunks"][1:], masked)
    bad = peer.raw("tokens_to_keys", tokens=tokens, chunk_size=4, mask_false=3)
    check("tokens with a bad mask", bad["exception"] == "ValueError", bad)
    got = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, vllm="current",
                    algorithm="builtin")
    check("NONE_HASH of builtin, seed 0", int(got["none_hash"], 16) in
          (5313149338359954478, -5282990986457227702), got)
    got = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, vllm="current",
                    algorithm="sha256_cbor")
    check("NONE_HASH of sha256_cbor, seed 0", got["none_hash"]
          == "4e1195df020de59e" and got["hash_function"] == "sha256_cbor", got)
    other = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, vllm="current",
                      algorithm="sha256_cbor", hash_seed="42")
    check("another seed, other keys", other["chunks"] != got["chunks"])
    mla = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, use_mla=True, world_size=8,
                    worker_id=3, model="selftest", split_layers=2)
    check("MLA keys collapse the world size", mla["chunks"][0][2][1].startswith("selftest@1@3@")
          and mla["chunks"][0][2][1].endswith("@bfloat16@1"), mla)

    # The whole story on the Python side.
    opened = peer.call("tokens_to_keys", tokens=tokens, chunk_size=4, model="selftest",
                       vllm="current", algorithm="sha256_cbor")
    keys = [c[2] for c in opened["chunks"]]
    peer.call("batched_put", items=[{"key": k, "shapes": [[2, 4, 4, 128]], "dtypes": ["bfloat16"],
                                     "payload": spec(8192, 1)} for k in keys])
    check("tokens, store, lookup", peer.call("lookup", keys=keys + ["selftest@1@0@1@half"])
          ["count"] == len(keys) == 2)

    got = peer.call("batch", requests=[
        {"op": "metadata_encode", "length": 8, "fmt": 1, "shapes": [[1]], "dtypes": ["uint8"]},
        {"op": "key_parse", "key": "bad"}])
    check("batch", [r["ok"] for r in got["results"]] == [True, False], got)
    bad = peer.raw("nonsense")
    check("unknown op", bad["exception"] == "ValueError", bad)
    closed = peer.call("close")
    check("LMCache bug: close() of the Redis connector blocks for good", closed["hung"], closed)
    check("other sessions live on", peer.call("exists", session="g1",
                                              key="selftest@1@0@f1@bfloat16")["exists"])
    check("end of input ends the peer", peer.end() == 0)

    # The other schemes, where LMCache keeps one key per chunk and no header.
    where = url.split("://", 1)[1].split("@")[-1].split("/")[0].split("?")[0]
    shape = {"shapes": [[2, 4, 16, 128]], "dtypes": ["bfloat16"]}
    for scheme in ("resp", "valkey"):
        peer = Peer(script)
        why = peer.call("info")["not_imported"].get(
            {"resp": "resp_native", "valkey": "valkey_glide"}[scheme])
        if why:
            print(f"# {scheme}:// can't be shown: {why}")
            peer.end()
            continue
        peer.call("open", url=f"{scheme}://{where}", model="selftest", chunk_size=16, poison=170,
                  blocking_timeout_secs=2, extra_config={"save_chunk_meta": False,
                                                         "resp_num_threads": 1})
        peer.call("put", key="selftest@1@0@10@bfloat16", payload=spec(32768, 1), **shape)
        check(f"{scheme}:// put", db.get("selftest@1@0@10@bfloat16") == affine(32768, 1))
        put = peer.call("batched_put", items=[
            {"key": f"selftest@1@0@1{i}@bfloat16", "payload": spec(32768, i), **shape}
            for i in (1, 2)])
        check(f"{scheme}:// batched_put", put["completed"] == 2, put)
        keys = [f"selftest@1@0@1{i}@bfloat16" for i in (0, 1, 2)]
        got = peer.call("batched_get", keys=keys)
        check(f"{scheme}:// batched_get", [r["sha256"] for r in got["results"]] == [
            hashlib.sha256(affine(32768, i)).hexdigest() for i in (1, 1, 2)], got)
        check(f"{scheme}:// lookup", peer.call("lookup", keys=keys + ["selftest@1@0@19@half"])
              ["count"] == 3)
        got = peer.call("get", key="selftest@1@0@19@half")
        check(f"{scheme}:// a missing key", not got["found"], got)
        if scheme == "valkey":
            check("valkey:// close", peer.call("close", timeout=10)["closed"])
            peer.end()
        else:
            got = peer.call("get", key=keys[0])
            check("LMCache bug: after a resp:// miss the worker thread is gone, a key that is "
                  "there times out too", not got["found"], got)
            check("LMCache bug: and exists, which has no timeout, never answers",
                  peer.silent(4, "exists", key=keys[0]))
            peer.kill()
    peer = Peer(script)
    peer.call("open", url=url, model="selftest", chunk_size=16, max_local_cpu_size=0.05,
              blocking_timeout_secs=2)
    db.set("selftest@1@0@30@uint8kv_bytes", b"12345678")
    db.set("selftest@1@0@30@uint8metadata", struct.pack("<7i", 8, 1, 6, 1 << 20, 1 << 10, 1, 16))
    got = peer.call("get", key="selftest@1@0@30@uint8")
    check("LMCache bug: a 28-byte header that claims 16 GiB", not got["found"], got)
    check("blocks LMCache's event loop for good", peer.silent(4, "exists",
                                                              key="selftest@1@0@30@uint8"))
    peer.kill()
    peer = Peer(script)
    opened = peer.call("open", url="redis-sentinel://127.0.0.1:1", model="selftest", chunk_size=16)
    check("redis-sentinel:// opens with no server there", opened["connected"], opened)
    check("LMCache bug: Sentinel exists is always true",
          peer.call("exists", key="selftest@1@0@20@bfloat16")["exists"])
    put = peer.call("put", key="selftest@1@0@20@bfloat16", payload=spec(32768, 1), **shape)
    check("LMCache bug: Sentinel put succeeds and writes nothing", put["put_failed_count"] == 0)
    got = peer.call("get", key="selftest@1@0@20@bfloat16")
    check("LMCache bug: Sentinel get asserts", not got["found"] and got["log"], got)
    peer.end()

    # Older releases: header, key and token code, and the connector where it loads.
    old = os.path.join(os.path.dirname(sys.prefix), "old")
    for version in sorted(os.listdir(old) if os.path.isdir(old) else []):
        if version.endswith(".missing"):
            print(f"# LMCache {version[:-8]}: {open(os.path.join(old, version)).read().strip()}")
            continue
        peer = Peer(script, "--lmcache-version", version)
        info = peer.call("info")
        header = peer.call("metadata_encode", length=16, fmt=1, shapes=[[2, 1, 2, 2]],
                           dtypes=["bfloat16"])
        check(f"LMCache {version} header", header["hex"]
              == struct.pack("<7i", 16, 1, 3, 2, 1, 2, 2).hex() and version in info["lmcache_path"],
              (info, header))
        chunks = peer.call("tokens_to_keys", tokens=list(range(8)), chunk_size=4,
                           model="selftest")["chunks"]
        key = chunks[0][2]
        print(f"#   key {key}")
        if "remote_backend" in info["not_imported"]:
            print(f"#   connector can't run: {info['not_imported']['remote_backend']}")
            peer.end()
            continue
        peer.call("open", url=url, model="selftest", chunk_size=16, max_local_cpu_size=0.05)
        peer.call("put", key=key, payload=spec(32768, 5), **shape)
        got = peer.call("get", key=key)
        check(f"LMCache {version} connector", got["sha256"]
              == hashlib.sha256(affine(32768, 5)).hexdigest() and db.get(key + "metadata")
              == struct.pack("<7i", 32768, 1, 3, 2, 4, 16, 128), got)
        db.delete(key + "metadata", key + "kv_bytes")
        peer.end()
    clean()
    print(f"{len(passed)} passed, 0 failed")
    return 0
