"""Faults that a test makes: of the machine (shim.c), of disks, of sockets and of processes. Each ends with its `with` block."""

import contextlib
import mmap
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from shop import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class Shim:
    """shim.c, compiled, and the numbers that steer it. environment(): of the process that is to suffer."""

    FIELDS = ("sync_errno", "write_errno", "clock_offset_s")

    def __init__(self, folder):
        compiler = shutil.which("cc") or harness.skip("there is no C compiler for the faults' library")
        self.library, self.control = os.path.join(folder, "shim.so"), os.path.join(folder, "shim.control")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", self.library, os.path.join(HERE, "shim.c")], check=True)
        with open(self.control, "wb") as file:
            file.write(bytes(8 * len(self.FIELDS)))
        with open(self.control, "r+b") as file:
            self.numbers = mmap.mmap(file.fileno(), 0)

    def environment(self, data):
        return [f"LD_PRELOAD={self.library}", f"FAULT_CONTROL={self.control}", f"FAULT_FOLDER={os.path.realpath(data)}/"]

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("<q", self.numbers, 8 * self.FIELDS.index(name), value)

    def clear(self):
        self.set(**dict.fromkeys(self.FIELDS, 0))


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system of so many MiB, mounted at a new folder; needs root."""
    path = os.path.join(folder, "disk")
    os.mkdir(path)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        os.rmdir(path)
        raise CannotBeMade(f"no small disk: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)
        os.rmdir(path)


class CannotBeMade(Exception):
    """This machine does not let the test make the fault."""


def fill(path):
    """Takes every byte that is left of a file system; returns the file that holds them."""
    name = os.path.join(path, "filler")
    with open(name, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1 << 9):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return name


@contextlib.contextmanager
def read_only(path):
    """The folder cannot be written, whoever asks: mounted over itself."""
    for arguments in (["--bind", path, path], ["-o", "remount,bind,ro", path]):
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotBeMade(f"no read-only folder: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


class Relay:
    """Between clients and 127.0.0.1:`port`: every chunk of a client waits `delay_s` before it goes on. One thread."""

    def __init__(self, port, delay_s=0.0, listen=0):
        self.target, self.delay_s = port, delay_s
        self.listener = socket.create_server(("127.0.0.1", listen))
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.peers, self.late = {}, []  # late: (due, socket, bytes) in order
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ending.is_set():
            pause = 0.05 if not self.late else max(0.0, min(0.05, self.late[0][0] - time.monotonic()))
            for key, _ in self.selector.select(pause):
                if key.fileobj is self.listener:
                    self._accept()
                else:
                    self._read(key.fileobj, key.data)
            while self.late and self.late[0][0] <= time.monotonic():
                _, to, chunk = self.late.pop(0)
                with contextlib.suppress(OSError):
                    to.sendall(chunk)

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            client.close()
            return
        self.peers[client], self.peers[server] = server, client
        self.selector.register(client, selectors.EVENT_READ, True)
        self.selector.register(server, selectors.EVENT_READ, False)

    def _read(self, one, is_client):
        try:
            chunk = one.recv(1 << 16)
        except OSError:
            chunk = b""
        other = self.peers.get(one)
        if other is None:
            return
        if chunk:
            self.late.append((time.monotonic() + (self.delay_s if is_client else 0.0), other, chunk))
            self.late.sort(key=lambda entry: entry[0])
            return
        for gone in (one, other):
            with contextlib.suppress(KeyError):
                self.selector.unregister(gone)
            self.peers.pop(gone, None)
            gone.close()

    def close(self):
        """New connections are refused and the present ones end."""
        self.ending.set()
        self.thread.join(5)
        for one in [self.listener, *self.peers]:
            one.close()


class BlackHole:
    """A port that takes connections and bytes and never answers. With a backlog of 0 it is full, and takes no connection either:
    the system drops what would open one, as a network does towards an address where nobody is."""

    def __init__(self, backlog=1024):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)  # never accepted
        self.port = self.listener.getsockname()[1]
        self.filling = []
        while backlog == 0:
            one = socket.socket()
            one.settimeout(0.3)
            self.filling.append(one)
            try:
                one.connect(("127.0.0.1", self.port))
            except TimeoutError:
                break

    def close(self):
        for one in (self.listener, *self.filling):
            one.close()


@contextlib.contextmanager
def paused(process):
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def held_connections(port, count, first=b""):
    """Sockets that are open and say no more than `first`."""
    held = []
    for _ in range(count):
        one = socket.socket()
        one.settimeout(5)
        one.connect(("127.0.0.1", port))
        if first:
            one.sendall(first)
        held.append(one)
    return held


def description():
    """Processor, cores and system, for a page of figures."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown processor")
    with open("/etc/os-release", encoding="utf-8") as file:
        system = next((line.split("=", 1)[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME")), "Linux")
    return f"{os.cpu_count()} cores of {model}, {system}"
