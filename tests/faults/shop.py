"""The shop that faults happen to: the sample catalogue with photos and small stand-in models for pictures and pairs, and the
processes that serve it."""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import harness  # noqa: E402
from inference import free_port  # noqa: E402
from photos import shared_folder  # noqa: E402

from endpoints import Endpoints, things_of  # noqa: E402

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers")
MODEL = ["--model", "all-MiniLM-L6-v2"]  # half the work of the default one, for the catalogue and for each query


def parser(**more):
    options = argparse.ArgumentParser(**more)
    options.add_argument("--program", required=True)
    options.add_argument(
        "--brief", action="store_true", help="the short form, whose limits of time leave room for a busy machine"
    )
    options.add_argument("--write-docs", action="store_true", help="put the tables into docs/reliability.md")
    return options


class Shop:
    """The catalogue, ingested once; each data() is a copy of its own."""

    def __init__(self, program, folder, products):
        self.program, self.folder, self.copies = os.path.abspath(program), folder, 0
        golden = os.path.join(shared_folder(), "golden")
        self.clip, self.reranker, self.generator = (
            os.path.join(golden, name) for name in ("clip", "bert_cross_encoder", "qwen2")
        )
        if not all(os.path.isdir(model) for model in (self.clip, self.reranker, self.generator)):
            harness.skip("the stand-in models for pictures, pairs and reasons are not here")
        if not os.path.exists(os.path.join(harness.models_folder(), MODEL[1], "model.safetensors")):
            harness.skip(f"{MODEL[1]} is not installed: run `scalestyle models fetch {MODEL[1]}`")
        self.vision = ["--vision-enabled", "--vision-model", self.clip]
        self.models = [*MODEL, *self.vision, "--reranker", self.reranker]
        self.ingested = os.path.join(folder, "ingested")
        sample = os.path.join(folder, "sample")
        self.table = os.path.join(sample, "articles.csv")
        self._run("sample", "--out", sample, "--products", str(products), "--seed", "7")
        self._run(
            "ingest",
            "--data",
            self.ingested,
            "--articles",
            self.table,
            "--images",
            os.path.join(sample, "images"),
            "--transactions",
            os.path.join(sample, "transactions.csv"),
            "--currency",
            "EUR",
            *MODEL,
            *self.vision,
        )
        self.articles, self.things = things_of(self.table)

    def _run(self, *arguments):
        done = harness.run(self.program, *arguments)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def data(self, below=None):
        self.copies += 1
        path = os.path.join(below or self.folder, f"data-{self.copies}")
        shutil.copytree(self.ingested, path, ignore=lambda _, names: [name for name in names if name.endswith(".lock")])
        return path

    def endpoints(self):
        return Endpoints(self.articles, self.things)

    def serve(self, data, *arguments, before=()):
        """`serve`, ready. `before`: what the program is started through, such as NAME=VALUE of its environment."""
        return Process(self, ["serve", "--data", data, "--port", "0", *self.models, *arguments], before)

    def inference(self, port):
        return Process(self, ["inference", "--port", str(port), *self.models], ())

    def try_serve(self, data, seconds=30):
        """A start that may not succeed: the server or None, and everything that it said."""
        command = [self.program, "serve", "--data", data, "--port", "0", "--log-format", "json", *self.models]
        started = Starting(command)
        started.settled.wait(seconds)
        return started

    # What the tools say of a data folder afterwards

    def exported(self, data):
        """The events of the log by id; None where the log cannot be read."""
        out = os.path.join(self.folder, "exported.jsonl")
        done = harness.run(self.program, "events", "export", "--data", data, "--out", out)
        if done.returncode != 0:
            return None
        with open(out, encoding="utf-8") as file:
            return {event["event_id"]: event for event in map(json.loads, file)}

    def check_kept(self, data, endpoints, check, name):
        """Every acknowledged event is in the log once, log and features agree. Of a server that has stopped."""
        kept = self.exported(data)
        check(f"{name}: the log can be read", kept is not None)
        lost = sorted(set(endpoints.acknowledged) - set(kept or {}))
        check(f"{name}: nothing acknowledged was lost", not lost, f"{len(lost)} of {len(endpoints.acknowledged)}: {lost[:5]}")
        for verb in ("verify", "rebuild"):
            done = harness.run(self.program, "events", verb, "--data", data)
            check(f"{name}: events {verb}", done.returncode == 0, (done.stdout + done.stderr)[-600:])
        return len(endpoints.acknowledged)


class Process(harness.Server):
    """A process of the program, ready; stopped with its `with` block, however it is then."""

    def __init__(self, shop, command, before):
        super().__init__("/usr/bin/env", None, command=[*before, shop.program, *command])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def alive(self):
        return self.process.poll() is None

    def said(self, words):
        return any(words in line for line in self.lines)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Resident bytes that are no file's."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("RssAnon"))

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def limit_descriptors(self, count):
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (count, count))


class Starting:
    """A process that becomes ready, or ends; `lines` is what it said."""

    def __init__(self, command):
        self.lines, self.port, self.settled = [], None, threading.Event()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if '"message":"ready"' in line:
                self.port = json.loads(line)["port"]
                self.settled.set()
        self.process.wait()
        self.settled.set()

    @property
    def serves(self):
        return self.port is not None and self.process.poll() is None

    def text(self):
        return "".join(self.lines)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait(timeout=20)


__all__ = ["Shop", "Process", "SERVERS", "free_port", "harness", "parser"]
