# SPDX-License-Identifier: Apache-2.0
"""Token hashing in Python, in million tokens a second: the peers of TokenHashBenchmark.

    pip install lmcache cbor2      # optional: without them only the bare hash() is measured
    PYTHONHASHSEED=0 python3 tests/peers/hash_tokens.py

The prompt is that of the benchmark in kind: 128 Ki random ids below 128,256, in chunks of 256.
"""

import hashlib
import random
import time

TOKENS = 1 << 17
CHUNK = 256


def best(name, run):
    """Prints the best of 20 rounds."""
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(f"{name:32} {TOKENS / min(seconds) / 1e6:9.1f}")


def main():
    rng = random.Random(1)
    tokens = [rng.randrange(128256) for _ in range(TOKENS)]
    chunks = [tuple(tokens[i : i + CHUNK]) for i in range(0, TOKENS, CHUNK)]

    def bare():
        previous = 0
        for chunk in chunks:
            previous = hash((previous, chunk, ()))

    best("bare hash() of the tuples", bare)

    try:
        import cbor2
    except ImportError:
        print("cbor2 is not installed")
    else:

        def sha256_cbor():
            previous = 0
            for chunk in chunks:
                encoded = cbor2.dumps((previous, chunk, ()), canonical=True)
                digest = hashlib.sha256(encoded).digest()
                previous = int.from_bytes(digest[:8], "big")

        best("sha256_cbor over cbor2", sha256_cbor)

    try:
        from lmcache.v1.token_database import ChunkedTokenDatabase
    except ImportError as e:
        print("LMCache is not installed:", e)
    else:
        database = ChunkedTokenDatabase()

        def process_tokens():
            for _ in database.process_tokens(tokens, make_key=False):
                pass

        best("LMCache process_tokens", process_tokens)


if __name__ == "__main__":
    main()
