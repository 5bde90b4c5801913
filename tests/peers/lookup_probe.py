#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times EXISTS over a bare socket, one a millisecond: what any client's lookup costs at that moment.

    tests/peers/lookup_probe.py PORT SECONDS

Run it beside a load, tests/peers/rawloop.c for one, to see how long the server itself lets a lookup
wait; `./lmcache4j bench` prints what a lookup of this connector takes beside its own gets.
"""

import socket
import sys
import time


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    taken = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.001)
            sent = time.perf_counter()
            s.sendall(b"*2\r\n$6\r\nEXISTS\r\n$1\r\nx\r\n")
            s.recv(64)
            taken.append(time.perf_counter() - sent)
    taken.sort()
    print(f"{len(taken)} lookups, p50 {taken[len(taken) // 2] * 1e6:.0f} us, "
          f"p99 {taken[len(taken) * 99 // 100] * 1e6:.0f} us")


if __name__ == "__main__":
    main()
