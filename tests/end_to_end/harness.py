"""Runs the real program: in a temporary folder, on loopback, on a free port, stopped by its own process id."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

SKIPPED = 77


def models_folder():
    return os.environ.get("SCALESTYLE_MODELS") or os.path.expanduser("~/.cache/scalestyle/models")


def need_model():
    """Ends the test as skipped where the model is not installed; on CI that is a failure."""
    if os.path.exists(os.path.join(models_folder(), "bge-small-en-v1.5", "model.safetensors")):
        return
    skip("bge-small-en-v1.5 is not installed: run `scalestyle models fetch`")


def skip(why):
    """Ends the test as skipped; on CI that is a failure."""
    print(why)
    sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)


def run(program, *arguments, timeout=240, environment=None):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(environment or {})}, check=False)


class Server:
    """`scalestyle serve` on a free port, or another command that serves; ready when the constructor returns."""

    READY = re.compile(r'"port":\s*(\d+)|port=(\d+)')

    def __init__(self, program, data, *arguments, command=None):
        self.lines = []
        command = command or ["serve", "--data", data, "--port", "0"]
        self.process = subprocess.Popen([program, *command, "--log-format", "json", *arguments], stderr=subprocess.PIPE, text=True)
        self.ready = threading.Event()
        self.port = None
        threading.Thread(target=self._read_log, daemon=True).start()
        if not self.ready.wait(60):
            self.process.kill()
            raise RuntimeError("not ready within 60 s:\n" + "".join(self.lines))

    def _read_log(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if '"message":"ready"' in line:
                self.port = json.loads(line)["port"]
                self.ready.set()

    def request(self, path, method="GET", headers=None, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def ask(self, path, method="GET", body=None):
        """A JSON exchange; returns status and document."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        status, _, answer = self.request(path, method, headers, None if body is None else json.dumps(body).encode())
        return status, json.loads(answer)

    def kill(self):
        """SIGKILL: no time to say anything."""
        self.process.kill()
        self.process.wait(timeout=20)

    def stop(self):
        """SIGTERM; returns the exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        return code, time.monotonic() - started


def wait_until(done, seconds=60):
    """Asks until it is so; the limit only ends a test that would wait for ever."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise RuntimeError(f"not so within {seconds} s")
        time.sleep(0.02)


class Failures:
    def __init__(self, quiet=False):
        self.count = 0
        self.passed = 0
        self.quiet = quiet

    def check(self, name, good, detail=""):
        if good:
            self.passed += 1
            return
        self.count += 1
        if not self.quiet:
            print(f"FAILED {name}: {detail}")

    def finish(self):
        print(f"{self.passed} checks passed, {self.count} failed")
        sys.exit(1 if self.count else 0)


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="scalestyle-end-to-end-")
