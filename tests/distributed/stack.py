"""The whole service for fault tests: tests/servers/stack.sh in a temporary folder, gone with the test however it ends."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import harness  # noqa: E402

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers")
CANNOT_BE_HAD = 3
START_SECONDS = 400
PRODUCTS = 20  # each text of the catalogue is embedded at every start
SESSION_TIMEOUT_MS = 6_000  # the least that brokers take: how long a killed consumer keeps its partitions from others

# Ends the stack when the pipe to it is closed: by the test, or by the end of its process, whatever that was.
GUARD = """
import os, shutil, subprocess, sys
sys.stdin.buffer.read()
subprocess.run([sys.argv[1], "stop", sys.argv[2]], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
shutil.rmtree(sys.argv[2], ignore_errors=True)
"""


class Stack:
    """Kafka, Redis and the roles, ready. `arguments` are those of stack.sh start."""

    def __init__(self, program, *arguments, environment=None, start_seconds=START_SECONDS):
        harness.need_model()
        self.folder = tempfile.mkdtemp(prefix="scalestyle-distributed-")
        self.script = os.path.join(SERVERS, "stack.sh")
        self.environment = {**os.environ, "SCALESTYLE_PROGRAM": os.path.abspath(program), "PRODUCTS": str(PRODUCTS),
                            "SCALESTYLE_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS), **(environment or {})}
        self.guard = subprocess.Popen([sys.executable, "-B", "-c", GUARD, self.script, self.folder], stdin=subprocess.PIPE,
                                      start_new_session=True)
        started = subprocess.run([self.script, "start", self.folder, *arguments], env=self.environment, capture_output=True, text=True,
                                 timeout=start_seconds, check=False)
        if started.returncode == CANNOT_BE_HAD:
            self.stop()
            harness.skip(started.stderr)
        if started.returncode != 0:
            self.stop()
            raise RuntimeError(f"the stack did not start:\n{started.stderr}")
        self.values = dict(line.split("=", 1) for line in started.stdout.splitlines())

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and kind is not SystemExit:
            self.show_logs()
        self.stop()

    def stop(self):
        self.guard.stdin.close()
        self.guard.wait(timeout=120)

    def show_logs(self, lines=15):
        roles = os.path.join(self.folder, "roles")
        for name in sorted(os.listdir(roles)) if os.path.isdir(roles) else []:
            path = os.path.join(roles, name, "log")
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    print(f"--- the end of {name}'s log\n" + "".join(file.readlines()[-lines:]), flush=True)

    def keep_logs(self, folder):
        """Copies the roles' logs, for a person to look at."""
        shutil.copytree(os.path.join(self.folder, "roles"), folder, dirs_exist_ok=True)

    # Roles: "gateway-1", "consumer-1", "retry" …

    def role(self, verb, name):
        done = subprocess.run([self.script, verb, self.folder, name], env=self.environment, capture_output=True, text=True, timeout=200,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{verb} {name}: {done.stderr}")

    def roles(self, kind):
        return sorted(name[:-len(".port")] for name in self.values if name.startswith(kind) and name.endswith(".port"))

    def port(self, role):
        return int(self.values[role + ".port"])

    # Servers

    def server(self, script, *arguments):
        """kafka.sh, redis.sh …: a verb and its arguments, upon the server of this stack."""
        name = script.split(".")[0].split("_")[0]
        done = subprocess.run([os.path.join(SERVERS, script), arguments[0], os.path.join(self.folder, name), *arguments[1:]],
                              capture_output=True, text=True, timeout=200, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{script} {' '.join(arguments)}: {done.stderr}")
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def redis(self, *command, port=None):
        """One command by redis-cli; follows a cluster to the key's node."""
        chosen = port or self.values["redis"].split(",")[0]
        done = subprocess.run(["redis-cli", "-c", "-h", "127.0.0.1", "-p", str(chosen), *command], capture_output=True, text=True,
                              timeout=20, check=False)
        return done.stdout.strip()

    def redis_keys(self, pattern):
        found = []
        for port in self.values["redis"].split(","):
            found += self.redis("--scan", "--pattern", pattern, port=port).split()
        return sorted(set(found))

    # The program

    def run(self, *arguments, timeout=300):
        return subprocess.run([self.script, "run", self.folder, *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=timeout, check=False)

    def get(self, role, path, timeout=10):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port(role)}{path}", timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def ready(self, role):
        """Status and document; (0, {}) where nobody answers."""
        try:
            status, body = self.get(role, "/ready", timeout=3)
            return status, json.loads(body)
        except (OSError, ValueError):
            return 0, {}

    def metric(self, role, name):
        """The sum of a metric's series."""
        _, text = self.get(role, "/metrics")
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text.decode(), re.MULTILINE)
        return sum(map(float, values))

    def lag(self):
        """Events that consumers have not taken yet; None while one does not say."""
        total = 0
        for name in self.roles("consumer"):
            status, document = self.ready(name)
            if status == 0:
                return None
            total += document["checks"]["kafka"]["lag"]
        return total

    def articles(self):
        with open(os.path.join(self.folder, "sample", "articles.csv"), encoding="utf-8") as file:
            file.readline()
            return [line.split(",", 1)[0] for line in file if line[:10].isdigit()]

    def run_audit(self, acknowledged, settle_s):
        ledger = os.path.join(self.folder, "acknowledged")
        with open(ledger, "w", encoding="utf-8") as file:
            file.writelines(event_id + "\n" for event_id in acknowledged)
        return self.run("events", "audit", "--acknowledged", ledger, "--settle-s", str(settle_s), timeout=settle_s + 240)

    def audit(self, failures, name, acknowledged=(), settle_s=60):
        """The features are what the log gives, and what was acknowledged is in it. Prints what was compared."""
        done = self.run_audit(acknowledged, settle_s)
        print(f"{name}: {done.stdout.strip()}", flush=True)
        failures.check(f"{name}: the audit", done.returncode == 0, done.stdout + done.stderr)
        return done.returncode == 0

    def dead_letters(self):
        """What `dlq list` gives of each: id, reason, original ("topic:partition:offset") …"""
        done = self.run("dlq", "list", "--json", "--limit", "1000")
        if done.returncode != 0:
            raise RuntimeError(f"dlq list: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)["letters"]


def wait_for(done, seconds, what):
    """Seconds until it is so."""
    started = time.monotonic()
    while not done():
        if time.monotonic() - started > seconds:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - started
