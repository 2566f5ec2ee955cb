"""usage: profile_search.py DATA [--reranker FOLDER] [--requests N] [--svg FOLDER | --no-flame] [--write] [-- serve options…]

See profile_search.sh. Without --reranker the reranked searches are left out. --requests: searches that are measured with unique queries
(300); kept lists ten times as many, reranked ones a third. --svg: where flame graphs go (docs/profile). --write: puts the table into
docs/performance.md. Flame graphs are of searches of their own, after those that are measured.
"""
import argparse
import datetime
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import profile_steps

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build/release/scalestyle"
DOCUMENT = ROOT / "docs/performance.md"
MARKERS = ("<!-- profile_search: begin -->", "<!-- profile_search: end -->")
PERF_SECONDS = 6
WORDS = ("red blue black white green pink light dark soft long short warm summer winter cotton linen wool denim striped printed dress shirt "
         "jacket trousers skirt sweater shorts hat bag socks women men girls boys baby sport basic fitted wide slim").split()


SHOPPERS = itertools.count()  # each asks once: nobody is asked to wait


class Bad(Exception):
    """A run that gives no figures, in words."""


class Client:
    """One connection that stays; times are from before the request is sent until the answer's last byte is here."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path):
        message = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        begun = time.perf_counter_ns()
        self.socket.sendall(message)
        data = self.socket.recv(1 << 18)
        end = data.find(b"\r\n\r\n")
        while end < 0:
            data += self.more()
            end = data.find(b"\r\n\r\n")
        length = int(re.search(rb"[Cc]ontent-[Ll]ength: (\d+)", data[:end]).group(1))
        while len(data) < end + 4 + length:
            data += self.more()
        took = time.perf_counter_ns() - begun
        return int(data[9:12]), data[end + 4:], took / 1e3

    def more(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise Bad("the server closed the connection")
        return piece


class Server:
    def __init__(self, data, options):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        command = [PROGRAM, "serve", "--data", data, "--port", "0", "--log-format", "json", *options]
        self.process = subprocess.Popen(command, stderr=self.log, stdout=subprocess.DEVNULL)
        while (ready := re.search(r'"message":"ready".*"port":(\d+)', self.text())) is None:
            if self.process.poll() is not None:
                raise Bad(f"the server did not start: {self.text()[-2000:]}")
            time.sleep(0.05)
        self.port = int(ready.group(1))

    def text(self):
        return pathlib.Path(self.log.name).read_text(encoding="utf-8")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def unique_queries(seed):
    chance, seen = random.Random(seed), set()
    while True:
        query = "+".join(chance.sample(WORDS, 4))
        if query not in seen:
            seen.add(query)
            yield query


def check(kind, status, body):
    answer = json.loads(body)
    if status != 200 or answer["degraded"] or not answer["data"]:
        raise Bad(f"a bad answer ({kind}): {status}, {body[:300]}")
    source = "kept" if kind == "cached" else "made"
    if answer["list_source"] != source:
        raise Bad(f"a list of a {kind} search was {answer['list_source']}, not {source}")
    if kind == "reranked" and answer.get("rerank", {}).get("scored", 0) == 0:
        raise Bad("nothing was reranked")
    return answer


def path_of(kind, query):
    path = f"/api/recommendation/search?query={query}&k=10&userId=shopper-{next(SHOPPERS)}"
    return path + "&deadline_ms=10000" if kind == "reranked" else path + "&rerank=false"


def scrape(client):
    status, body, _ = client.get("/metrics")
    if status != 200:
        raise Bad("no metrics")
    return profile_steps.steps_of(body.decode())


def measure(client, count, ask):
    """Asks `count` times between scrapes: what each gave, the mean microseconds of a request and of each step."""
    scrapes = [scrape(client), scrape(client)]
    given = [ask() for _ in range(count)]
    scrapes.append(scrape(client))
    return given, statistics.fmean(took for _, _, took in given), profile_steps.step_means(scrapes, count)


def transport(client):
    """What a request costs that the server does nothing for: sockets, and the threads that wait for them."""
    for _ in range(200):
        client.get("/live")
    _, whole, steps = measure(client, 2_000, lambda: client.get("/live"))
    return whole - steps["read"] - steps["begin"] - steps["write"]


def profile(kind, client, count, queries):
    ask = lambda: client.get(path_of(kind, next(queries)))
    for _ in range(max(20, count // 10)):
        ask()
    between = transport(client)
    given, whole, steps = measure(client, count, ask)
    answers = [check(kind, status, body) for status, body, _ in given]
    rows = profile_steps.rows_of(steps, profile_steps.stage_means(answers), between)
    times = sorted(took for _, _, took in given)
    print(f"{kind}: {count} searches, p50 {times[count // 2]:.0f} µs, p99 {times[count * 99 // 100]:.0f} µs", flush=True)
    return rows, whole


def flame_graph(kind, server, client, queries, folder):
    """Samples the server's processor time while it is asked; the stacks as a picture."""
    with tempfile.TemporaryDirectory() as work:
        data = f"{work}/perf.data"
        recorder = subprocess.Popen(["perf", "record", "-q", "-F", "499", "-e", "cpu-clock", "--call-graph", "dwarf,16384", "-o", data, "-p",
                                     str(server.process.pid), "--", "sleep", str(PERF_SECONDS)], stdout=subprocess.DEVNULL)
        while recorder.poll() is None:
            client.get(path_of(kind, next(queries)))
        stacks = subprocess.run(["perf", "script", "-i", data, "--no-inline", "-F", "comm,ip,sym"], capture_output=True, text=True, check=True)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"search_{kind}.svg"
    picture = subprocess.run([sys.executable, "-B", ROOT / "scripts/flame_graph.py", f"A {kind} search: processor time of the server"],
                             input=stacks.stdout, capture_output=True, text=True, check=True)
    target.write_text(picture.stdout, encoding="utf-8")
    print(f"{kind}: {target}")


def machine():
    name = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return f"{name.group(1) if name else 'a processor'}, {os.cpu_count()} cores, {datetime.date.today().isoformat()}, commit {commit or 'unknown'}"


def write_document(lines):
    text = DOCUMENT.read_text(encoding="utf-8")
    begin, end = text.index(MARKERS[0]) + len(MARKERS[0]), text.index(MARKERS[1])
    DOCUMENT.write_text(text[:begin] + "\n" + "\n".join(lines) + "\n" + text[end:], encoding="utf-8")


def run(given):
    kinds, flame = {}, not given.no_flame
    if flame and shutil.which("perf") is None:
        print("perf is not installed: no flame graphs")
        flame = False
    kept = itertools.cycle(list(itertools.islice(unique_queries(1), 100)))
    plans = [("cached", given.requests * 10, kept, "none"), ("unreranked", given.requests, unique_queries(2), "none")]
    if given.reranker:
        plans.append(("reranked", max(20, given.requests // 3), unique_queries(3), given.reranker))
    server, served = None, None
    try:
        for kind, count, queries, reranker in plans:
            if served != reranker:
                if server is not None:
                    server.stop()
                server, served = Server(given.data, ["--reranker", reranker, *given.serve]), reranker
                client = Client(server.port)
            if kind == "cached":
                for _ in range(100):
                    client.get(path_of(kind, next(queries)))  # makes the lists
            kinds[kind] = profile(kind, client, count, queries)
            if flame:
                flame_graph(kind, server, client, queries, given.svg)
    finally:
        if server is not None:
            server.stop()
    return kinds


def main(arguments):
    serve = arguments[arguments.index("--") + 1:] if "--" in arguments else []
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--reranker", default="", help="a cross-encoder's folder")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--svg", type=pathlib.Path, default=ROOT / "docs/profile")
    parser.add_argument("--no-flame", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments[:len(arguments) - len(serve) - (1 if "--" in arguments else 0)])
    given.serve = serve
    try:
        kinds = run(given)
    except Bad as bad:
        print(f"profile_search: {bad}", file=sys.stderr)
        return 1
    lines = [f"{machine()}. Means of one client that asks again at once.", "", *profile_steps.table(kinds)]
    print("\n" + "\n".join(lines))
    unexplained = [kind for kind, (rows, whole) in kinds.items() if not profile_steps.is_explained(profile_steps.explained(rows, whole)[1])]
    if unexplained:
        print(f"profile_search: the sum is not within 10 % of the whole: {', '.join(unexplained)}", file=sys.stderr)
        return 1
    if given.write:
        write_document(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
