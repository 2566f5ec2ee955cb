"""A server of a data folder for the benchmarks beside this file, and its load generator."""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build/release"


class Server:
    """`scalestyle serve` on a copy of a data folder, which is thrown away: clicks and changes leave DATA as it is."""

    def __init__(self, data, *arguments):
        self.folder = copy_of(data)
        self.process = subprocess.Popen(
            [PROGRAMS / "scalestyle", "serve", "--data", self.folder, "--port", "0", "--log-format", "json", *map(str, arguments)],
            stderr=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if '"message":"ready"' in line:
                self.ready = json.loads(line)
                self.port = self.ready["port"]
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        remove(self.folder)
        sys.exit("the server did not start:\n" + "".join(lines[-5:]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        remove(self.folder)

    def ask(self, method, path, body=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def start_load(self, *arguments):
        """scalestyle-load as a process whose JSON load_report() takes."""
        return subprocess.Popen(
            [PROGRAMS / "scalestyle-load", "--port", str(self.port), "--server-pid", str(self.process.pid), "--json",
             "--allow-degraded", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def load(self, *arguments):
        return load_report(self.start_load(*arguments))


def load_report(process):
    out, errors = process.communicate()
    if process.returncode not in (0, 1) or not out:  # 1: some answers were bad; the report counts them
        sys.exit("scalestyle-load: " + errors)
    return json.loads(out)


def described_machine():
    said = subprocess.run([PROGRAMS / "scalestyle", "doctor"], capture_output=True, text=True).stdout
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    cpu = next((line.split(":", 1)[1].strip() for line in cpuinfo.splitlines() if line.startswith("model name")), "")
    kernels = next((line.split("kernels", 1)[1].strip(" :") for line in said.splitlines() if "compute threads" in line), "")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return f"{cpu}, {os.cpu_count()} cores; {kernels}; commit {commit}"


def write_between(document, begin, end, text):
    """Puts `text` between two markers of a document, each of which is there once."""
    old = document.read_text(encoding="utf-8")
    if old.count(begin) != 1 or old.count(end) != 1 or old.index(begin) > old.index(end):
        sys.exit(f"{document} does not have both markers once, in order")
    head, rest = old.split(begin)
    document.write_text(head + begin + text + end + rest.split(end)[1], encoding="utf-8")


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


def copy_of(data):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="scalestyle-bench-"))
    subprocess.run(["cp", "-a", "--reflink=auto", f"{data}/CURRENT", f"{data}/generations", folder], check=True)
    return folder


def random_model(program, *arguments):
    """The folder of a model of true shape with random weights, made by a benchmark's --write once in a build folder."""
    folder = PROGRAMS / "random_models" / "-".join([program, *[word.strip("-") for word in arguments]])
    if not (folder / "config.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([PROGRAMS / program, *arguments, "--write", folder], check=True, stdout=subprocess.DEVNULL)
    return folder
