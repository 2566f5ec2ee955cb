#!/usr/bin/env python3
"""usage: bench_redis_memory.py : what Redis itself takes for a key of the feature store (docs/formats/redis.md), beside the bytes
of its value: keys as the store names them are written to a redis-server of its own on loopback, and `used_memory` before
and after is divided by their number."""
import pathlib
import socket
import subprocess
import tempfile
import time

KEYS = 200_000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(str(pathlib.Path(folder)))
        try:
            server.wait()
            print(next(line for line in server.cli("info", "server").split() if line.startswith("redis_version")))
            for size in (100, 300, 1000):
                each = server.bytes_each(
                    command("SET", f"scalestyle:{{f{i % 64:02}}}:user:shopper-{i:010}", "x" * size, "PX", "18000000000")
                    for i in range(KEYS))
                print(f"subject, value of {size} bytes: {each - size:.0f} bytes beside it")
            record = 90
            hashes = server.bytes_each(command("HSET", "scalestyle:{pop}:items", f"{i:010}", "x" * record) for i in range(KEYS))
            changes = server.bytes_each(command("ZADD", "scalestyle:{pop}:changes", str(1_000_000 + i), f"{i:010}")
                                        for i in range(KEYS))
            print(f"item, field of {record} bytes and its entry of changes: {hashes + changes - record:.0f} bytes beside it")
            print(f"item of global:popular, the entry: {changes:.0f} bytes")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
