#!/usr/bin/env python3
"""usage: bench_redis.py : what the feature store's keys and commands cost Redis itself, on a redis-server of its own on loopback.

Memory: keys as docs/formats/redis.md names them are written, and `used_memory` before and after is divided by their number.
Commands: the store's read of a subject (GET) and its script for one (of feature_scripts.cpp), as redis-benchmark sends them,
16 at once on each of 8 connections; commands by the processor time that the server used for them, and by the clock. Exits
with 1 when a script did not do its work."""
import pathlib
import re
import socket
import subprocess
import tempfile
import time

KEYS = 200_000
COMMANDS = 300_000
VALUE_BYTES = 900  # of a user with some 20 events
SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "src" / "adapters" / "redis" / "feature_scripts.cpp"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def script_for_a_subject():
    text = SCRIPTS.read_text(encoding="utf-8")
    parts = (re.search(rf'{name} = R"lua\((.*?)\)lua"', text, re.S) for name in ("kCheckType", "kWriteSubject"))
    return "".join(part.group(1) for part in parts)


def command(*words):
    return f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)


class Server:
    def __init__(self, folder):
        self.port = str(free_port())
        self.process = subprocess.Popen(
            ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def cli(self, *words, text=None):
        call = ["redis-cli", "-p", self.port, *words]
        return subprocess.run(call, input=text, capture_output=True, text=True, check=True).stdout

    def wait(self):
        for _ in range(100):
            if subprocess.run(["redis-cli", "-p", self.port, "ping"], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit("redis-server does not answer")

    def used_bytes(self):
        lines = self.cli("info", "memory").split()
        return int(next(line for line in lines if line.startswith("used_memory:")).split(":")[1])

    def bytes_each(self, commands):
        self.cli("flushall")
        before = self.used_bytes()
        self.cli("--pipe", text="".join(commands))
        return (self.used_bytes() - before) / KEYS

    def processor_seconds(self):
        fields = dict(line.split(":") for line in self.cli("info", "cpu").split() if ":" in line)
        return float(fields["used_cpu_user"]) + float(fields["used_cpu_sys"])

    def rate(self, *words):
        """Commands a processor second of the server, and a second of the clock."""
        call = ["redis-benchmark", "-p", self.port, "-c", "8", "-P", "16", "-r", str(KEYS), "-n", str(COMMANDS), "-q", *words]
        used, begun = self.processor_seconds(), time.monotonic()
        subprocess.run(call, stdout=subprocess.DEVNULL, check=True)
        seconds = time.monotonic() - begun
        return COMMANDS / (self.processor_seconds() - used), COMMANDS / seconds


def measure_memory(server):
    for size in (100, 300, 1000):
        each = server.bytes_each(
            command("SET", f"scalestyle:{{f{i % 64:02}}}:user:shopper-{i:010}", "x" * size, "PX", "18000000000")
            for i in range(KEYS))
        print(f"subject, value of {size} bytes: {each - size:.0f} bytes beside it")
    record = 90
    hashes = server.bytes_each(command("HSET", "scalestyle:{pop}:items", f"{i:010}", "x" * record) for i in range(KEYS))
    changes = server.bytes_each(command("ZADD", "scalestyle:{pop}:changes", str(1_000_000 + i), f"{i:010}") for i in range(KEYS))
    print(f"item, field of {record} bytes and its entry of changes: {hashes + changes - record:.0f} bytes beside it")
    print(f"item of global:popular, the entry: {changes:.0f} bytes")


def measure_commands(server):
    server.cli("flushall")
    user, stream = "scalestyle:{f01}:user:shopper-", "scalestyle:{f01}:popularity"
    version, value = "A" * 8, "A" * VALUE_BYTES  # a write finds the version that it read, and leaves it
    server.cli("--pipe", text="".join(command("SET", f"{user}{i:012}", value) for i in range(KEYS)))
    print(f"reads of {VALUE_BYTES} bytes: {'%.0f a processor second, %.0f/s' % server.rate('get', user + '__rand_int__')}")
    sha = server.cli("script", "load", script_for_a_subject()).strip()
    words = ("evalsha", sha, "2", user + "__rand_int__", stream, version, value, "18000000000", "c" * 40, str(2 * COMMANDS))
    print(f"scripts for a subject: {'%.0f a processor second, %.0f/s' % server.rate(*words)}")
    written = int(server.cli("xlen", stream))
    if written != COMMANDS:
        raise SystemExit(f"{written} of {COMMANDS} scripts did their work")


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(str(pathlib.Path(folder)))
        try:
            server.wait()
            print(next(line for line in server.cli("info", "server").split() if line.startswith("redis_version")))
            measure_memory(server)
            measure_commands(server)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
