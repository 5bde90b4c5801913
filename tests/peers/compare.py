#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the connector beside its peers: same server, same commands, same chunks, in turn.

    tests/peers/compare.py                       # 32 MiB, batch 8, 4 connections, 5 passes
    tests/peers/compare.py --passes 9 --report comparison.md
    tests/peers/compare.py --skip lmcache        # no Python environment

A pass runs every client once, each as a process of its own that warms up, then measures --rounds
rounds and tells their median; the order is turned by one from pass to pass, so that no client
always follows the same other. The table has the median of the passes, the lowest and the highest
pass, and the ratio to ours (ours / peer above 1: we are faster), which is the median of the ratios
pass by pass: what disturbs a whole pass disturbs both sides of its ratio.

Every client sends SET <key>kv_bytes, SET <key>metadata for a put and GET <key>metadata,
GET <key>kv_bytes for a get, except redis-benchmark, which sends one SET or GET, and resp://, which
has no metadata. CPU is the client's own, user and system, per GiB.

Needs a C compiler, redis-server, and for LMCache what tests/python/setup.sh needs.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "peers"
GIB = 1 << 30
OURS = "lmcache4j"


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chunk-mib", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5, help="rounds in a pass")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4,
                        help="beside 1, of every client that lets one choose")
    parser.add_argument("--skip", action="append", default=[], metavar="WORD",
                        help="leave out peers whose name contains WORD")
    parser.add_argument("--redis-server", default=shutil.which("redis-server"))
    parser.add_argument("--server-args", default="", help="further arguments of redis-server")
    parser.add_argument("--report", type=Path, help="write the table there as Markdown")
    return parser.parse_args()


class Server:
    """A Redis of one's own that keeps nothing."""

    def __init__(self, program, extra):
        if not program:
            sys.exit("compare: no redis-server on the PATH")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.dir = tempfile.TemporaryDirectory(prefix="lmcache4j-compare-")
        self.process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
             "--appendonly", "no", "--dir", self.dir.name, *extra.split()],
            stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.version = self.ask("INFO server").split("redis_version:")[1].split()[0]
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("compare: redis-server does not answer")

    def ask(self, command):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            s.sendall(command.encode() + b"\r\n")
            time.sleep(0.05)
            return s.recv(1 << 16).decode()

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.dir.cleanup()


def run(command):
    """Runs a client; what it printed on its last line of standard output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]


def snake(direction):
    return {"gib": direction["gib_per_s"], "cpu": direction["cpu_s_per_gib"]}


def json_client(command):
    def measure():
        found = json.loads(run(command))
        return {"put": snake(found["put"]), "get": snake(found["get"])}
    return measure


def bench_client(args, port, connections, path):
    command = [ROOT / "lmcache4j", "bench", "--json", "--url", f"redis://127.0.0.1:{port}",
               "--chunk-mib", args.chunk_mib, "--batch", args.batch, "--rounds", args.rounds,
               "--connections", connections, "--path", path]

    def measure():
        found = json.loads(run(list(map(str, command))))
        if found["path"] != path:
            sys.exit(f"compare: {path} was asked for and {found['path']} ran")
        return {way: {"gib": found[way]["gibPerSec"], "cpu": found[way]["cpuSecPerGib"]}
                for way in ("put", "get")}
    return measure


def redis_benchmark_client(args, port, connections):
    """It tells requests per second and no CPU time, which the kernel does as it is waited for."""
    size = args.chunk_mib << 20
    count = args.batch * args.rounds

    def one(test):
        command = ["redis-benchmark", "-p", str(port), "-t", test, "-d", str(size),
                   "-n", str(count), "-c", str(connections), "--csv"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = child.stdout.read().strip().splitlines()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit("compare: redis-benchmark failed")
        rate = float(lines[-1].split(",")[1].strip('"'))
        return {"gib": rate * size / GIB,
                "cpu": (usage.ru_utime + usage.ru_stime) / (count * size / GIB)}

    return lambda: {"put": one("set"), "get": one("get")}


def clients(args, port, work):
    """Names and what measures them, ours first."""
    chosen = {}

    def wanted(name):
        return name.startswith(OURS) or not any(
            word.lower() in name.lower() for word in args.skip)

    def add(name, make):
        if wanted(name):
            chosen[name] = make()

    counts = sorted({1, args.connections})
    for n in counts:
        add(f"{OURS} zero-copy, {n} conn.", lambda n=n: bench_client(args, port, n, "zero-copy"))
    for n in counts:
        add(f"{OURS} copy, {n} conn.", lambda n=n: bench_client(args, port, n, "copy"))
    common = ["--chunk-mib", str(args.chunk_mib), "--batch", str(args.batch),
              "--rounds", str(args.rounds)]

    raw = work / "rawloop"
    subprocess.run(["cc", "-O2", "-o", raw, PEERS / "rawloop.c", "-lpthread"], check=True)
    for n in counts:
        add(f"raw C loop, {n} conn.", lambda n=n: json_client(
            [raw, "--port", str(port), "--connections", str(n), *common]))

    if wanted("lmcache redis://") or wanted("lmcache resp://"):
        python = run([ROOT / "tests" / "python" / "setup.sh"])
        script = [python, PEERS / "lmcache_connector.py", *common]
        add("LMCache redis://", lambda: json_client(
            [*script, "--url", f"redis://127.0.0.1:{port}"]))
        for n in counts:
            add(f"LMCache resp:// (C++), {n} conn.", lambda n=n: json_client(
                [*script, "--url", f"resp://127.0.0.1:{port}", "--threads", str(n)]))

    if wanted("Lettuce") or wanted("Jedis"):
        java = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
        peer = [java, "-XX:MaxDirectMemorySize=16g", "-cp", classpath()]
        numbers = [str(port), str(args.chunk_mib), str(args.batch), str(args.rounds)]
        for main, name in (("LettucePeer", "Lettuce, byte[]"), ("JedisPeer", "Jedis")):
            for n in counts:
                add(f"{name}, {n} conn.", lambda n=n, main=main: json_client(
                    [*peer, f"io.lmcache4j.tests.peers.{main}", *numbers, str(n)]))

    if shutil.which("redis-benchmark"):
        for n in counts:
            add(f"redis-benchmark, {n} conn.", lambda n=n: redis_benchmark_client(args, port, n))
    return chosen


def classpath():
    """Builds the test classes, and tells where they and what they need are."""
    say("building the Java peers")
    subprocess.run(
        [ROOT / "mvnw", "-q", "-pl", "tests", "-am", "package", "-DskipTests",
         "dependency:build-classpath", "-Dmdep.outputFile=target/classpath.txt"],
        cwd=ROOT, check=True, stdout=sys.stderr)
    needed = (ROOT / "tests" / "target" / "classpath.txt").read_text().strip()
    return os.pathsep.join([str(ROOT / "tests" / "target" / "test-classes"), needed])


def ours_for(name, results):
    """The connector with as many connections, or with the most."""
    same = f"{OURS} zero-copy, {name.rsplit(', ', 1)[-1]}"
    own = [n for n in results if n.startswith(f"{OURS} zero-copy")]
    return same if same in results else own[-1]


def cell(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def table(results):
    lines = ["| client | put GiB/s | get GiB/s | put CPU s/GiB | get CPU s/GiB "
             "| ours / it, put | ours / it, get | our CPU / its, put | our CPU / its, get |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name, passes in results.items():
        ours = results[ours_for(name, results)]
        row = [name]
        for way in ("put", "get"):
            row.append(cell([p[way]["gib"] for p in passes]))
        for way in ("put", "get"):
            row.append(f"{statistics.median(p[way]['cpu'] for p in passes):.3f}")
        for what in ("gib", "cpu"):
            for way in ("put", "get"):
                row.append("" if passes is ours else "{:.2f}".format(statistics.median(
                    a[way][what] / b[way][what] if b[way][what] else float("nan")
                    for a, b in zip(ours, passes))))
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def machine(args, server, load):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    redis = " ".join(["redis", server.version, *args.server_args.split()])
    return (f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}; "
            f"{redis} on loopback; chunks of {args.chunk_mib} MiB, "
            f"batch {args.batch}, {args.passes} passes of {args.rounds} rounds; load average "
            f"{load[0]:.1f} before and {os.getloadavg()[0]:.1f} after, where nothing but this ran "
            "it stays below 3.")


def main():
    args = arguments()
    # So that the server goes along however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server = Server(args.redis_server, args.server_args)
    load = os.getloadavg()
    try:
        with tempfile.TemporaryDirectory() as work:
            measured = clients(args, server.port, Path(work))
            names = list(measured)
            results = {name: [] for name in names}
            for i in range(args.passes):
                for name in names[i % len(names):] + names[:i % len(names)]:
                    found = measured[name]()
                    results[name].append(found)
                    say(f"pass {i + 1}: {name}: put {found['put']['gib']:.2f} GiB/s, "
                        f"get {found['get']['gib']:.2f} GiB/s")
            text = f"{machine(args, server, load)}\n\n{table(results)}\n"
    finally:
        server.close()
    print(text)
    if args.report:
        args.report.write_text("# Comparison\n\n" + text, encoding="utf-8")


if __name__ == "__main__":
    main()
