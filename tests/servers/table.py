#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the contract ran on into docs/COMPATIBILITY.md.

    ./mvnw -Pservers -pl tests -am verify && tests/servers/table.py

Reads tests/target/contract-servers.txt, or the file that is named. If anything failed it writes
nothing.
"""

import collections
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "COMPATIBILITY.md"
BEGIN, END = "<!-- servers -->\n", "<!-- /servers -->\n"
TOPOLOGIES = ["TCP", "unix socket", "TLS", "Sentinel", "cluster", "cluster over TLS"]


def main():
    file = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else ROOT / "tests" / "target" / "contract-servers.txt")
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    ran = collections.defaultdict(lambda: [0, set()])
    left_out = []
    for line in lines:
        server, topology, layout, _, tests, failed, reason = line.split("\t")
        if reason:
            left_out.append(f"- {server}, {topology}: {reason}.")
            continue
        if int(failed):
            sys.exit(f"{server}, {topology}, {layout}: {failed} failed")
        ran[server, topology][0] += int(tests)
        ran[server, topology][1].add(layout)
    servers = sorted({server for server, _ in ran})
    table = ["| server | " + " | ".join(TOPOLOGIES) + " |", "|---|" + "--:|" * len(TOPOLOGIES)]
    for server in servers:
        cells = [str(ran[server, t][0]) if (server, t) in ran else "" for t in TOPOLOGIES]
        table.append(f"| {server} | " + " | ".join(cells) + " |")
    section = "\n".join([
        "## Server × topology", "",
        "Written by `./mvnw -Pservers -pl tests -am verify && tests/servers/table.py`: tests of the contract that passed, all",
        "layouts (two keys, `resp`, `valkey`, `valkey` with two keys) and both paths together; none failed.", "",
        *table, "", "Not run:", "", *sorted(set(left_out)), ""])
    text = DOCUMENT.read_text(encoding="utf-8")
    if BEGIN in text:
        head, rest = text.split(BEGIN, 1)
        tail = rest.split(END, 1)[1]
    else:
        head, tail = text.rstrip("\n") + "\n\n", ""
    DOCUMENT.write_text(head + BEGIN + section + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
