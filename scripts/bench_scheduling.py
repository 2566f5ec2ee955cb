#!/usr/bin/env python3
"""usage: bench_scheduling.py DATA [--reranker DIR] [--vision-model DIR --photos DIR] [--rate 40] [--seconds 10] [--repeats 3] [--write-docs]

How quick searches stay while other work runs in the same server: unique searches by words and meaning without rerank, in open loop at
a fixed rate, alone; beside searches that are reranked, in closed loop; beside changes of articles whose texts are embedded; beside
searches by picture (with --vision-model and --photos, where DATA has vectors of photos). Each with compute_lanes on and off, in turn;
figures are medians over the repeats. Without --reranker, a cross-encoder of MiniLM-L6's shape with random weights. --write-docs puts the table between the markers of docs/performance.md.
"""

import argparse
import datetime
import http.client
import itertools
import statistics
import threading

import serving

BEGIN = "<!-- written by scripts/bench_scheduling.py --write-docs -->\n"
END = "<!-- end of what bench_scheduling.py wrote -->\n"
PLAIN = "/api/recommendation/search?query={query}&k=10&rerank=false"
RERANKED = "/api/recommendation/search?query={query}&k=10&deadline_ms=4000&rerank=50"


class Changes:
    """Batches of texts that no article had, one after the other on one connection."""

    def __init__(self, server):
        self.server, self.ending, self.texts, self.numbers = server, threading.Event(), 0, itertools.count()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        while not self.ending.is_set():
            operations = [{"operation": "upsert", "article_id": f"77{number % 5_000:08}", "product_name": f"Cape number {number}",
                           "colour": "Black", "price": 20,
                           "description": f"A cape of velvet with a lining of silk, made in run {number}, warm in the winter, with "
                                          "two pockets and a hood that comes off."}
                          for number in itertools.islice(self.numbers, 64)]
            status, answer = self.server.ask("POST", "/api/articles/batch", {"operations": operations}, connection)
            if status != 200:
                raise SystemExit(f"changes: {status} {answer}")
            self.texts += len(operations)

    def stop(self):
        self.ending.set()
        self.thread.join()


def searches(server, options, seed):
    return server.start_load("--mix", "text=1", "--path-template", PLAIN, "--rate", options.rate, "--clients", 256, "--duration",
                             options.seconds, "--seed", seed)


def measure(server, options, seeds):
    """Of each situation: the searches' report, and what ran beside them."""
    length = options.seconds + 3
    server.load("--mix", "text=1", "--path-template", PLAIN, "--requests", 100, "--duration", 30, "--seed", next(seeds))
    found = {"alone": (serving.load_report(searches(server, options, next(seeds))), "")}
    for clients in (2, 8):
        beside = server.start_load("--mix", "text=1", "--path-template", RERANKED, "--clients", clients, "--duration", length, "--seed",
                                   next(seeds))
        report = serving.load_report(searches(server, options, next(seeds)))
        other = serving.load_report(beside)
        text = other["kinds"]["text"]
        found[f"beside {clients} clients whose searches are reranked"] = report, (
            f"{(text['whole'] + text['degraded']) / other['seconds']:.1f} reranked/s, {text['mean_rerank_depth']:.0f} rows each")
    if options.vision_model:
        beside = server.start_load("--mix", "image=1", "--images", options.photos, "--clients", 2, "--duration", length, "--seed",
                                   next(seeds))
        report = serving.load_report(searches(server, options, next(seeds)))
        other = serving.load_report(beside)
        found["beside 2 clients who search by picture"] = report, f"{other['whole_rps']:.1f} pictures/s"
    changes = Changes(server)
    report = serving.load_report(searches(server, options, next(seeds)))
    changes.stop()
    found["beside changes of articles"] = report, f"{changes.texts / report['seconds']:.0f} texts/s"
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--reranker")
    parser.add_argument("--vision-model")
    parser.add_argument("--photos")
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    reranker = options.reranker or serving.random_model("rerank_bench", "--model", "minilm")
    settings = ["--reranker", reranker, "--pair-cache-mb", 0, "--list-cache-mb", 0]
    if options.vision_model:
        settings += ["--vision-enabled", "--vision-model", options.vision_model]
    seeds = itertools.count(1)
    runs = {"true": [], "false": []}
    for _ in range(options.repeats):
        for lanes, kept in runs.items():
            with serving.Server(options.data, *settings, f"--compute-lanes={lanes}") as server:
                kept.append(measure(server, options, seeds))
    lines = [f"{datetime.date.today():%d %B %Y}, {serving.described_machine()}; {options.rate:g}/s in open loop, {options.seconds:g} s, "
             f"medians of {options.repeats}" + ("" if options.reranker else "; a cross-encoder of random weights") + ":\n",
             "| | lanes | p50 ms | p99 ms | degraded | refused | errors | what ran beside |", "|---|---|---|---|---|---|---|---|"]
    for situation in runs["true"][0]:
        for lanes, kept in runs.items():
            reports = [run[situation][0] for run in kept]
            latency = lambda share: statistics.median(report["kinds"]["text"]["latency_ms"][share] for report in reports)
            total = lambda name: sum(report[name] for report in reports)
            lines.append(f"| {situation} | {'on' if lanes == 'true' else 'off'} | {latency('p50'):.2f} | {latency('p99'):.2f} "
                         f"| {total('degraded')} | {total('refused')} | {total('errors')} | {kept[-1][situation][1]} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write_docs:
        serving.write_between(serving.ROOT / "docs/performance.md", BEGIN, END, text)


if __name__ == "__main__":
    main()
