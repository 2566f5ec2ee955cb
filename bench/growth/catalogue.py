"""Ingest and start. Ingest with BGE-small of sample catalogues of 100 … 3,000 articles, since embedding takes nearly all of it; writing a
generation of 10 k … 300 k made-up articles with made-up vectors, as ingest's last step does, and starting a server on it: time to
ready, resident memory, files. About 4 minutes."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import points

INGEST, START = "ingest of a sample catalogue, with BGE-small", "writing a generation, and starting on it"
INGESTED, INGESTED_SMOKE = (100, 300, 1_000, 3_000), (20, 40)
STARTED, STARTED_SMOKE = (10_000, 30_000, 100_000, 300_000), (1_000, 2_000)
READY_WITHIN_S = 120


def cut_sample(options, folder, articles):
    """The first articles of a sample catalogue, as a table."""
    sample = folder / "sample"
    if not sample.exists():
        most = INGESTED_SMOKE[-1] if options.smoke else INGESTED[-1]
        points.run([points.program(options, "scalestyle"), "sample", "--out", sample, "--products", most // 2])  # nearly three articles each
        shutil.rmtree(sample / "images")
    lines = (sample / "articles.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    table = folder / f"articles_{articles}.csv"
    table.write_text("".join(lines[:articles + 1]), encoding="utf-8")
    return table


def ingest(options, record, folder, articles):
    data = folder / f"data_{articles}"
    said = json.loads(points.run([points.program(options, "scalestyle"), "ingest", "--data", data, "--articles",
                                  cut_sample(options, folder, articles), "--json"]).splitlines()[-1])
    if said["accepted"] != articles:
        raise RuntimeError(f"{said['accepted']} of {articles} articles were accepted")
    record.add(INGEST, articles, {"total_s": said["total_seconds"], "embedding_s": said["embed_seconds"],
                                  "rest_s": said["total_seconds"] - said["embed_seconds"]})
    return data


class Server:
    """`serve` on a data folder of the runner's own, at any free port."""

    def __init__(self, options, data):
        self.log = tempfile.TemporaryFile(mode="w+", encoding="utf-8")
        self.started = time.perf_counter()
        self.process = subprocess.Popen([points.program(options, "scalestyle"), "serve", "--data", str(data), "--port", "0", "--log-format",
                                         "json"], stderr=self.log, stdout=subprocess.DEVNULL)

    def wait_until_ready(self):
        """Seconds until it said that it is ready."""
        while True:
            self.log.flush()
            text = os.pread(self.log.fileno(), 1 << 20, 0).decode("utf-8", "replace")
            if re.search(r'"message":"ready"', text):
                return time.perf_counter() - self.started
            if self.process.poll() is not None or time.perf_counter() - self.started > READY_WITHIN_S:
                raise RuntimeError(f"the server was not ready:\n{text[-2000:]}")
            time.sleep(0.005)

    def memory_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return {name: 1024e-6 * int(re.search(rf"^{field}:\s*(\d+)", status, re.MULTILINE)[1])
                for name, field in (("memory_mb", "RssAnon"), ("resident_mb", "VmRSS"))}

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def start(options, data):
    """The quickest of three starts with warm files, and the memory then."""
    found = []
    for _ in range(3):
        server = Server(options, data)
        try:
            seconds = server.wait_until_ready()
            found.append({"ready_s": seconds, **server.memory_mb()})
        finally:
            server.stop()
    return min(found, key=lambda one: one["ready_s"])


def disk_mb(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def start_at(options, record, folder, like, articles):
    table, _ = points.articles_table(options, folder)
    data = folder / f"made_up_{articles}"
    points.need_disk(folder, articles * 6_000)
    one = points.json_lines(points.run([points.program(options, "growth_generation_bench"), "--articles", table, "--rows", articles,
                                        "--like", like, "--out", data]))[0]
    files = disk_mb(data / "generations")
    record.add(START, articles, {"write_s": one["write_s"], **start(options, data), "disk_mb": files})
    shutil.rmtree(data)


def main():
    options = points.arguments(__doc__)
    record = points.Record(options)
    record.series(INGEST, "articles", (100_000, 1_000_000))
    record.series(START, "articles", (1_000_000, 10_000_000))
    folder = points.scratch(options, "catalogue")
    try:
        like = None
        for articles in points.sizes(options, INGESTED, INGESTED_SMOKE):
            if record.has(INGEST, articles):
                continue
            like = ingest(options, record, folder, articles)
        for articles in points.sizes(options, STARTED, STARTED_SMOKE):
            if record.has(START, articles):
                continue
            if like is None:  # the ingests were measured before
                like = folder / "like"
                points.run([points.program(options, "scalestyle"), "ingest", "--data", like, "--articles", cut_sample(options, folder, 20)])
            start_at(options, record, folder, like, articles)
        _, source = points.articles_table(options, folder)
    finally:
        shutil.rmtree(folder)
    record.note(f"Articles of generations are made up of the words of {source}, their vectors too. Ready: the quickest of three starts, "
                "files in the page cache; memory: of the process's own.")
    record.write()


if __name__ == "__main__":
    main()
