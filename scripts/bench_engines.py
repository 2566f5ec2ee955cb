#!/usr/bin/env python3
"""usage: bench_engines.py --data FOLDER --articles FILE --transactions FILE [--program build/release/scalestyle] [--queries 400] [--clients 4]

What a search costs each process of the whole service: processor time of the gateway, the inference role and Milvus for --queries
unique searches by --clients connections, for the same searches by the embedded shape, and memory of Milvus for --articles. The
data folder is a ready one of the articles, of precision f32. Servers are started by tests/servers/stack.sh and stopped at the end.
Exits with 1 when an answer is an error, or one in ten is degraded.
"""

import argparse
import multiprocessing
import os
import random
import sys
import time

from bench_distributed import Asker, need, processor_seconds, query

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "distributed"))
from stack import Stack, harness  # noqa: E402


def ask_all(port, seed, count, out):
    chance, asker, degraded, seen = random.Random(seed), Asker(port), 0, set()
    while len(seen) < count:
        text = query(chance)
        if text in seen:
            continue
        seen.add(text)
        status, answer = asker.ask("GET", f"/api/recommendation/search?query={text}&k=20&rerank=false")
        need(status == 200, answer)
        degraded += answer["degraded"]
    out.put(degraded)


def searches(options, port, first_seed):
    """Seconds for all of them, by all clients."""
    out = multiprocessing.Queue()
    each = options.queries // options.clients
    clients = [multiprocessing.Process(target=ask_all, args=(port, first_seed + n, each, out)) for n in range(options.clients)]
    began = time.monotonic()
    for client in clients:
        client.start()
    degraded = sum(out.get() for _ in clients)
    for client in clients:
        client.join()
    need(degraded <= each * options.clients // 10, f"{degraded} searches were degraded")
    return time.monotonic() - began, degraded


def milvus_pid(stack):
    with open(os.path.join(stack.folder, "milvus", "milvus.pid"), encoding="ascii") as file:
        return int(file.read())


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def measure(options, name, port, pids):
    searches(options, port, 1_000)  # connections, caches of the engines
    before = {role: processor_seconds(pid) for role, pid in pids.items()}
    seconds, degraded = searches(options, port, 2_000)
    spent = {role: (processor_seconds(pid) - before[role]) * 1000 / options.queries for role, pid in pids.items()}
    parts = ", ".join(f"{role} {value:.2f}" for role, value in spent.items())
    print(f"{name}: {options.queries / seconds:.1f} searches/s, {degraded} degraded; processor ms a search: {parts}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/scalestyle")
    parser.add_argument("--data", required=True)
    parser.add_argument("--articles", required=True)
    parser.add_argument("--transactions", required=True)
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    server = harness.Server(options.program, options.data)
    measure(options, "embedded", server.port, {"serve": server.process.pid})
    server.stop()
    environment = {"DATA": options.data, "ARTICLES": options.articles, "TRANSACTIONS": options.transactions,
                   "SCALESTYLE_DOCUMENT_PRECISION": "f32"}
    shapes = (("inference over HTTP", ["--inference", "yes"]), ("the same and Milvus", ["--inference", "yes", "--milvus", "yes"]))
    for name, arguments in shapes:
        with Stack(options.program, *arguments, environment=environment) as stack:
            pids = {role: int(stack.values[f"{role}.pid"]) for role in ("gateway-1", "inference")}
            if "milvus" in stack.values:
                pids["milvus"] = milvus_pid(stack)
            measure(options, name, stack.port("gateway-1"), pids)
            if "milvus" in pids:
                print(f"milvus: {resident_bytes(pids['milvus']) / 1e6:.0f} MB resident")


if __name__ == "__main__":
    main()
