#!/usr/bin/env python3
"""usage: bench_distributed.py [--program build/release/scalestyle] [--articles CSV --transactions CSV] [--data FOLDER]
                            [--rate 200] [--seconds 30] [--backlog 100000] [--queries 300] [--shapes embedded,standalone,cluster,milvus] [--json]

The same questions to the embedded shape, to Kafka with Redis, to Kafka with a Redis Cluster, and with Milvus, one after the other on
this machine; a Markdown table of milliseconds.

  acknowledged   a click until its answer, while others click at --rate
  effect         from that answer until an answer that reflects the click: a search with after=TOKEN, asked again
                 where after_reached says that it does not yet
  whole          both
  search         unique queries by one client, nothing else going on; degraded answers are counted, one in a hundred at most
  consumer       events a second of one consumer that finds --backlog events waiting, until none does; and of its processor time

The catalogue is a sample, or ARTICLES, or the ready data folder of --data, with --articles too where Milvus is to be filled from it.
Servers are started by tests/servers/stack.sh and stopped at the end.
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "distributed"))
from load import Load, percentile  # noqa: E402
from stack import Stack, harness, wait_for  # noqa: E402

WORDS = ("warm winter jacket soft cotton shirt black dress summer blue jeans kids socks knitted jumper red skirt sport top light "
         "trousers striped vest leather belt wool scarf party shoes linen white").split()
STACKS = {"standalone": ("Kafka, Redis", []),
          "cluster": ("Kafka, Redis Cluster", ["--redis", "cluster"]),
          "milvus": ("Kafka, Redis, Milvus", ["--milvus", "yes"])}
BATCH = 500
PROBES_PER_SECOND = 20


def need(truth, what):
    if not truth:
        sys.exit(f"wrong: {what}")


class Asker:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def query(chance):
    return "+".join(chance.sample(WORDS, 4))


def probe(port, articles, seconds, out):
    """Clicks and what follows, in a process of its own, so that the others' threads do not delay its clock."""
    chance, asker = random.Random(5), Asker(port)
    lists = [query(chance) for _ in range(10)]
    for text in lists:  # their lists are made; what is measured is what a click changes
        asker.ask("GET", f"/api/recommendation/search?query={text}&k=10&userId=warm")
    times = {"acknowledged": [], "effect": [], "whole": [], "same": [], "again": []}
    until, turn = time.monotonic() + seconds, itertools.count()
    while time.monotonic() < until:
        number = next(turn)
        user, text = f"probe-{number % 50}", chance.choice(lists)
        path = f"/api/recommendation/search?query={text}&k=10&userId={user}"
        began = time.perf_counter()
        asker.ask("GET", path)
        same = time.perf_counter()
        status, click = asker.ask("POST", "/api/events/click", {"user_id": user, "item_id": chance.choice(articles), "source": "search",
                                                                "event_id": f"probe-{os.getpid()}-{number}"})
        acknowledged = time.perf_counter()
        need(status == 200, click)
        while True:
            status, answer = asker.ask("GET", f"{path}&after={click['token']}")
            need(status == 200 and not answer["degraded"], answer)
            if answer["after_reached"]:
                break
            times["again"].append(number)  # it was not there within the time that a search waits
        whole = time.perf_counter()
        times["same"].append(1000 * (same - began))
        times["acknowledged"].append(1000 * (acknowledged - same))
        times["effect"].append(1000 * (whole - acknowledged))
        times["whole"].append(1000 * (whole - same))
        time.sleep(max(0.0, 1 / PROBES_PER_SECOND - (time.perf_counter() - began)))
    out.put(times)


def measure_clicks(options, port, articles):
    load = Load("bench", [port], articles, rate=options.rate - PROBES_PER_SECOND, threads=16, users=500).start()
    time.sleep(2)
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    prober = context.Process(target=probe, args=(port, articles, options.seconds, out))
    prober.start()
    times = out.get(timeout=options.seconds + 30)
    prober.join()
    offered, began = load.made, time.monotonic()
    ledger = load.stop()
    need(set(ledger.answers) == {200}, ledger.answers)
    print(f"  {offered} clicks beside, all acknowledged; {len(times['again'])} of {len(times['whole'])} answers asked for again; the same question without a click p50 {percentile(times['same'], 0.5):.2f} ms, "
          f"p99 {percentile(times['same'], 0.99):.2f} ms; the last acknowledged {time.monotonic() - began:.1f} s after the end", flush=True)
    return times


def measure_searches(options, port):
    chance, asker, times, seen, degraded = random.Random(9), Asker(port), [], set(), 0
    while len(times) < options.queries:
        text = query(chance)
        if text in seen:
            continue
        seen.add(text)
        began = time.perf_counter()
        status, answer = asker.ask("GET", f"/api/recommendation/search?query={text}&k=20&rerank=false")
        times.append(1000 * (time.perf_counter() - began))
        need(status == 200 and answer["data"], answer)
        degraded += answer["degraded"]
    need(degraded <= len(times) // 100, f"{degraded} of {len(times)} searches were degraded")
    print(f"  {degraded} of {len(times)} searches were degraded", flush=True)
    return times


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_backlog(options, stack, articles):
    """Events a second, and of the consumer's processor time."""
    stack.role("end", "consumer-1")
    chance, asker, numbers = random.Random(3), Asker(stack.port("gateway-1")), itertools.count()
    for _ in range(options.backlog // BATCH):
        events = [{"event_type": "click", "event_id": f"backlog-{next(numbers)}", "user_id": f"u-{chance.randrange(5_000)}",
                   "item_id": chance.choice(articles)} for _ in range(BATCH)]
        status, answer = asker.ask("POST", "/api/events", {"events": events})
        need(status == 200, answer)
    stack.role("restart", "consumer-1")
    with open(os.path.join(stack.folder, "roles", "consumer-1", "pid"), encoding="ascii") as file:
        pid = int(file.read())
    applied = lambda: stack.metric("consumer-1", "events_processed_total")
    wait_for(applied, 120, "the consumer has begun")
    first, began, spent = applied(), time.monotonic(), processor_seconds(pid)
    wait_for(lambda: applied() >= options.backlog, 1_200, "the backlog is gone")
    seconds, spent, done = time.monotonic() - began, processor_seconds(pid) - spent, options.backlog - first
    need(seconds > 1, f"only {done:.0f} events were left to be timed: a larger --backlog")
    return done / seconds, done / spent


def row(name, times, searches, consumer):
    def pair(values):
        return f"{percentile(values, 0.5):.2f} / {percentile(values, 0.99):.2f}" if values else "–"
    rate = f"{consumer[0]:,.0f} ({consumer[1]:,.0f})" if consumer else "–"
    cells = [name, *(pair(times[what]) for what in ("acknowledged", "effect", "whole")), pair(searches), rate]
    return "| " + " | ".join(cells) + " |"


def embedded(options, folder):
    """Ingests what the other shapes copy."""
    data = options.data
    if not data:
        data = os.path.join(folder, "data")
        articles, more = options.articles, []
        if not articles:
            sample = os.path.join(folder, "sample")
            need(harness.run(options.program, "sample", "--out", sample, "--products", "500", "--seed", "7").returncode == 0, "sample")
            articles = options.articles = os.path.join(sample, "articles.csv")
            options.transactions = os.path.join(sample, "transactions.csv")
        if options.transactions:
            more = ["--transactions", options.transactions]
        made = harness.run(options.program, "ingest", "--data", data, "--articles", articles, *more, timeout=3_600)
        need(made.returncode == 0, made.stderr)
    return data


def articles_of(port):
    asker, ids = Asker(port), []
    for offset in range(0, 500, 100):
        status, answer = asker.ask("GET", f"/api/recommendation/browse?sort=name&k=100&offset={offset}")
        need(status == 200, answer)
        ids += [item["article_id"] for item in answer["data"]]
    return ids


def print_json(shape, times, searches):
    """A line of what `row` says, for a program."""
    found = {**{what: times[what] for what in ("acknowledged", "effect", "whole")}, "search": searches}
    print(json.dumps({"shape": shape, **{what: {"count": len(values), "p50_ms": percentile(values, 0.5), "p99_ms": percentile(values, 0.99)}
                                         for what, values in found.items()}}), flush=True)


def run_shape(options, shape, data, rows):
    if shape == "embedded":
        with tempfile.TemporaryDirectory(prefix="scalestyle-bench-") as folder:
            shutil.copytree(data, os.path.join(folder, "data"))
            server = harness.Server(options.program, os.path.join(folder, "data"))
            try:
                articles = articles_of(server.port)
                searches = measure_searches(options, server.port)
                rows.append(row("embedded", measure_clicks(options, server.port, articles), searches, None))
            finally:
                server.stop()
        return
    name, arguments = STACKS[shape]
    environment = {"DATA": data}
    if options.articles:
        environment["ARTICLES"] = options.articles
    if options.transactions:
        environment["TRANSACTIONS"] = options.transactions
    with Stack(options.program, *arguments, environment=environment) as stack:
        port = stack.port("gateway-1")
        articles = articles_of(port)
        searches = measure_searches(options, port)
        times = measure_clicks(options, port, articles)
        if options.json:
            print_json(shape, times, searches)
        consumer = measure_backlog(options, stack, articles) if shape != "milvus" and options.backlog else None
        rows.append(row(name, times, searches, consumer))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/scalestyle")
    parser.add_argument("--articles")
    parser.add_argument("--transactions")
    parser.add_argument("--data")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--shapes", default="embedded,standalone,cluster,milvus")
    parser.add_argument("--json", action="store_true", help="also a line of JSON for each distributed shape")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="scalestyle-bench-") as folder:
        data = embedded(options, folder)
        for shape in options.shapes.split(","):
            print(f"{shape}:", flush=True)
            run_shape(options, shape, data, rows)
            print("  " + rows[-1], flush=True)
    print("\n| p50 / p99, ms | acknowledged | effect | whole | search | consumer, events/s (per core) |\n|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
