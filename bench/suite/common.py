"""What the measurements share: where things are, how programs are run, and a served data folder."""
from __future__ import annotations

import dataclasses
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from machine import ROOT


class NoData(Exception):
    """What a measurement needs is not on this machine."""


class Failed(Exception):
    """A program of ours failed, or an answer was wrong."""


@dataclasses.dataclass
class Context:
    build: pathlib.Path  # our programs
    work: pathlib.Path  # what is prepared and kept
    rivals: pathlib.Path
    models: pathlib.Path
    shared: pathlib.Path
    data: pathlib.Path | None  # a ready data folder of the H&M catalogue
    short: bool = False
    deadline: float = float("inf")  # of the measurement that runs, by time.monotonic()
    environment: dict = dataclasses.field(default_factory=lambda: dict(os.environ))

    def program(self, name):
        path = self.build / name
        if not path.exists():
            raise Failed(f"{path} is not built")
        return path

    def seconds(self, full):
        """How long something is measured: a fraction in a trial."""
        return max(0.02, full / 20) if self.short else full

    def need_data(self):
        if self.data is None:
            raise NoData("needs the H&M catalogue: make bench DATA=FOLDER")
        return self.data

    def hm(self, name):
        path = self.shared / "data" / "hm" / name
        if not path.exists():
            raise NoData(f"{name} of the H&M data is not there: SCALESTYLE_SHARED")
        return path

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Failed("its time is over")
        return None if left == float("inf") else left

    def run(self, words, good=(0,)):
        """Standard output of a program, which must end in time with one of these codes."""
        words, left = [str(word) for word in words], self.left()
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=self.environment,
                                   start_new_session=True)
        try:
            out, errors = process.communicate(timeout=left)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failed(f"{shown(words)}: its time is over") from late
        if process.returncode not in good:
            last = (errors.strip() or out.strip()).splitlines()[-3:]
            raise Failed(f"{shown(words)} ended with {process.returncode}: {' / '.join(last)}")
        return out


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def only(rows, **wanted):
    """The one row that has these values."""
    found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
    if len(found) != 1:
        raise Failed(f"{len(found)} rows have {wanted}")
    return found[0]


def figure(value, command, note="", **more):
    return {"value": value, "command": shown(command), "note": note, **more}


def shown(command):
    """A command line as the table has it: without the folders of this machine."""
    if isinstance(command, str):
        return command
    words = [re.sub(r"^.*/(?=[^/]+$)", "", str(word)) if "/" in str(word) and not str(word).startswith("/api/") else str(word)
             for word in command]
    return " ".join(words)


def copy_of(data, target):
    """A data folder whose generations are hard links where the disk allows it: they never change, and what else is written is the
    copy's own. Without events."""
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    shutil.copy(data / "CURRENT", target)
    current = (data / "CURRENT").read_text(encoding="utf-8").strip()

    def link(source, destination):
        try:
            os.link(source, destination)
        except OSError:
            shutil.copy2(source, destination)
    shutil.copytree(data / "generations" / current, target / "generations" / current, copy_function=link)
    return target


class Server:
    """`scalestyle serve` on a folder, ready when it is entered."""

    def __init__(self, context, data, *options):
        self.context, self.command = context, [context.program("scalestyle"), "serve", "--data", data, "--port", "0", "--log-format",
                                               "json", *options]

    def __enter__(self):
        self.last, self.connection = [], None
        environment = {**self.context.environment, "SCALESTYLE_MODELS": str(self.context.models)}
        self.process = subprocess.Popen([str(word) for word in self.command], stderr=subprocess.PIPE, text=True, env=environment,
                                        start_new_session=True)
        timer = threading.Timer(self.context.left() or 600, self.process.kill)
        timer.start()
        for line in self.process.stderr:
            if '"message":"ready"' in line:
                ready = json.loads(line)
                self.port, self.ready_seconds = ready["port"], ready["seconds"]
                timer.cancel()
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return self
            self.last = [*self.last[-2:], line.strip()]
        timer.cancel()
        self.process.wait()
        raise Failed(f"the server did not start: {' / '.join(self.last)}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_mb(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s*(\d+)", text)[1]) * 1024 / 1e6

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, path):
        """(milliseconds, the answer), on one connection that stays."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.context.left()
        started = time.perf_counter()
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        took = 1e3 * (time.perf_counter() - started)
        if response.status != 200 or not answer.get("data"):
            raise Failed(f"{path}: {response.status} {str(answer)[:200]}")
        return took, answer

    def load(self, *options):
        """What scalestyle-load measured; answers that failed fail the measurement, degraded ones are told by their share."""
        words = [self.context.program("scalestyle-load"), "--port", self.port, "--json", "--allow-degraded", *options]
        found = json_lines(self.context.run(words))[0]
        if found["errors"] or not found["answers"]:
            raise Failed(f"{found['errors']} of {found['answers'] + found['errors']} searches failed: {found['error_kinds']}")
        return found

    def clicks(self, *options):
        """What scalestyle-click-load measured. It ends with 1 where a bound of its own is missed, which is for the gates to say."""
        words = [self.context.program("scalestyle-click-load"), "--port", self.port, "--json", *options]
        text = self.context.run(words, good=(0, 1))
        wrong = [line for line in text.splitlines() if line.startswith("FAIL") and "p99" not in line]
        found = json_lines(text)
        if wrong or len(found) != 1:
            raise Failed(" / ".join(wrong) or "no figures")
        return found[0]


def temporary(context):
    """A folder on the disk of `work`, gone afterwards."""
    context.work.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="run-", dir=context.work)


def median(values):
    return statistics.median(values)
