#!/usr/bin/env python3
"""usage: bench_live.py DATA [--program build/release/scalestyle] [--prices 300] [--texts 20] [--batches 5]

How soon a change of an article is visible. Serves a copy of the data folder DATA, then, one after another on one connection: prices, availability, texts, new articles, deletes and batches. A figure is the
time from the request to its answer, which says that the change is on disk and visible; each is checked by what the server
answers next (the article, a price filter, a search for a new word), and a check that fails ends the run with 1.
Last, searches are timed while texts change all the time.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time


class Server:
    def __init__(self, program, data):
        self.process = subprocess.Popen([program, "serve", "--data", data, "--port", "0", "--log-format", "json"],
                                        stderr=subprocess.PIPE, text=True)
        self.port = None
        for line in self.process.stderr:
            if '"message":"ready"' in line:
                self.port = json.loads(line)["port"]
                break
            sys.stderr.write(line)
        if self.port is None:
            sys.exit("the server did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def ask(connection, method, path, body=None):
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def need(truth, what):
    if not truth:
        sys.exit(f"wrong: {what}")


def change(connection, method, path, body=None):
    """Milliseconds until the change is on disk and visible."""
    started = time.perf_counter()
    status, answer = ask(connection, method, path, body)
    took = 1000 * (time.perf_counter() - started)
    need(status == 200 and answer["visible"], f"{method} {path}: {answer}")
    return took


def report(name, times):
    times = sorted(times)
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    print(f"{name:44} n {len(times):4}  p50 {statistics.median(times):8.2f}  p99 {at(0.99):8.2f}  max {times[-1]:8.2f} ms", flush=True)


def found(connection, query):
    status, answer = ask(connection, "GET", f"/api/recommendation/search?query={query}&k=5&legs=lexical")
    need(status == 200, answer)
    return [item["article_id"] for item in answer["data"]]


def some_articles(connection, count):
    ids = []
    for offset in range(0, count, 100):
        status, answer = ask(connection, "GET", f"/api/recommendation/browse?sort=name&k=100&offset={10 * offset}")
        need(status == 200, answer)
        ids += [item["article_id"] for item in answer["data"]]
    return ids[:count]


def states(connection, ids):
    times = []
    for place, article in enumerate(ids):
        price = 1_000_000 + place
        times.append(change(connection, "PATCH", f"/api/articles/{article}", {"price": price}))
        need(ask(connection, "GET", f"/api/articles/{article}")[1]["data"]["price"] == price, "a price is not seen")
        if place % 20 == 0:
            listed = ask(connection, "GET", f"/api/recommendation/browse?sort=price_desc&price_min={price}&k=1")[1]
            need(listed["total"] == 1 and listed["data"][0]["article_id"] == article, "a filter does not see a price")
    report("PATCH price", times)
    times = []
    for place, article in enumerate(ids):
        times.append(change(connection, "PATCH", f"/api/articles/{article}", {"available": False}))
        if place % 20 == 0:
            listed = ask(connection, "GET", f"/api/recommendation/browse?price_min={1_000_000 + place}&price_max={1_000_000 + place}")[1]
            need(listed["total"] == 0, "what is not available is listed")
    report("PATCH available", times)
    report("DELETE", [change(connection, "DELETE", f"/api/articles/{article}") for article in ids[: len(ids) // 4]])
    need(ask(connection, "GET", f"/api/articles/{ids[0]}")[0] == 404, "a deleted article is there")


def texts(connection, ids, word):
    times = []
    for place, article in enumerate(ids):
        name = f"{word}{'abcdefghijklmnopqrstuvwxyz'[place % 26]}{'abcdefghijklmnopqrstuvwxyz'[place // 26]}"
        times.append(change(connection, "PUT", f"/api/articles/{article}",
                            {"product_name": f"Cape {name}", "description": "A cape of velvet.", "price": 20, "colour": "Black"}))
        need(found(connection, name) == [article], f"{name} is not found")
    return times


def searches_meanwhile(server, ids, seconds):
    stop = threading.Event()
    written = []

    def write():
        connection = server.connect()
        while not stop.is_set():
            written.append(change(connection, "PATCH", f"/api/articles/{random.choice(ids)}",
                                  {"description": f"Changed {random.random()}"}))

    connection = server.connect()
    words = ["warm", "jacket", "summer", "dress", "black", "cotton", "kids", "socks", "blue", "shirt", "soft", "knit"]
    plain, during = [], []
    for times in (plain, during):
        if times is during:
            writer = threading.Thread(target=write)
            writer.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            query = "+".join(random.sample(words, 4))
            started = time.perf_counter()
            status, answer = ask(connection, "GET", f"/api/recommendation/search?query={query}")
            need(status == 200 and not answer["degraded"], answer)
            times.append(1000 * (time.perf_counter() - started))
    stop.set()
    writer.join()
    report("search, nothing else", plain)
    report("search, texts changing all the time", during)
    report("… the texts meanwhile", written)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--program", default="build/release/scalestyle")
    parser.add_argument("--prices", type=int, default=300)
    parser.add_argument("--texts", type=int, default=20)
    parser.add_argument("--batches", type=int, default=5)
    options = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        data = os.path.join(folder, "data")
        shutil.copytree(options.data, data, ignore=shutil.ignore_patterns("*.db-*", "events*", "changes*", "impressions*", "*.lock",
                                                                          "features*"))
        server = Server(options.program, data)
        try:
            connection = server.connect()
            articles = ask(connection, "GET", "/ready")[1]["articles"]
            print(f"{articles} articles, {server.resident_mb()} MB resident")
            ids = some_articles(connection, options.prices)
            states(connection, ids)
            report("PUT text", texts(connection, ids[len(ids) // 2 :][: options.texts], "quilv"))
            report("PUT a new article", texts(connection, [f"77000000{place:02}" for place in range(options.texts)], "zimv"))
            batch = lambda make: {"operations": [make(place, article) for place, article in enumerate(ids[len(ids) // 4 :])]}
            prices = batch(lambda place, article: {"operation": "patch", "article_id": article, "price": place})
            report(f"a batch of {len(prices['operations'])} prices",
                   [change(connection, "POST", "/api/articles/batch", prices) for _ in range(options.batches)])
            described = batch(lambda place, article: {"operation": "patch", "article_id": article,
                                                      "description": f"Described {place} {random.random()}"})
            report(f"a batch of {len(described['operations'])} texts", [change(connection, "POST", "/api/articles/batch", described)])
            searches_meanwhile(server, ids[len(ids) // 2 :], 10)
            print(f"{server.resident_mb()} MB resident")
            metrics = server.connect()
            metrics.request("GET", "/metrics")
            for line in metrics.getresponse().read().decode().splitlines():
                if line.startswith(("scalestyle_catalog_build_seconds_sum", "scalestyle_catalog_build_seconds_count",
                                    "scalestyle_catalog_new_texts", "scalestyle_catalog_changes_total")):
                    print(line)
        finally:
            server.stop()
        server = Server(options.program, data)
        try:
            need(found(server.connect(), "zimvaa") == ["7700000000"], "a restart lost an article")
            print("after a restart the new articles are found")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
