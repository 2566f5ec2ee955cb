"""Load of many connections out of few instructions: whole requests made before, kept raw sockets, one selector a process.

Closed loop, one process: each connection asks again when it has its answer. Open loop, two processes: `rate` requests a second,
each due at its time whether or not the earlier ones were answered; when that was and when its sending began (connecting included)
are both told. A request that finds no free connection opens one, up to MAX_CONNECTIONS a process; beyond that it is counted as not sent.
"""

import multiprocessing
import os
import selectors
import socket
import time
from dataclasses import dataclass, field

MAX_CONNECTIONS = 400


def raw(method, path, body=b"", kind="application/json"):
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@dataclass
class Result:
    """Of one process, or of all: answers as (kind, status, degraded, when it was due, when its sending began, when it was whole),
    in seconds since the start of the load."""

    answers: list = field(default_factory=list)
    broken: int = 0  # connections that ended without an answer
    not_sent: int = 0
    processor_seconds: float = 0.0
    seconds: float = 0.0


class Worker:
    """The load of one process. `requests`: (kind, bytes), taken in turn."""

    def __init__(self, port, requests, connections, rate, seconds):
        """`connections`: of a closed loop. `rate`: of an open one, else None."""
        self.port, self.requests, self.rate, self.seconds = port, requests, rate, seconds
        self.most = connections if rate is None else MAX_CONNECTIONS
        self.selector = selectors.DefaultSelector()
        self.free, self.busy = [], {}  # busy: socket → [kind, due, began, bytes so far, size wanted]
        self.taken, self.result = 0, Result()

    def run(self):
        began_processor = sum(os.times()[:2])
        self.started = time.perf_counter()
        end = self.started + self.seconds
        due_count = 0
        while (now := time.perf_counter()) < end:
            if self.rate is None:
                while len(self.busy) < self.most and self._send(now):
                    pass
                pause = 0.05
            else:
                due = self.started + due_count / self.rate
                while due <= now:
                    self._send(due)
                    due_count += 1
                    due = self.started + due_count / self.rate
                pause = max(0.0, due - time.perf_counter())
            self._receive(min(pause, 0.05))
        grace = time.perf_counter() + 5
        while self.busy and time.perf_counter() < grace:
            self._receive(0.05)
        self.result.broken += len(self.busy)
        self.result.seconds = end - self.started
        self.result.processor_seconds = sum(os.times()[:2]) - began_processor
        return self.result

    def _send(self, due):
        if self.free:
            one = self.free.pop()
            began = time.perf_counter()
        elif len(self.busy) >= self.most:
            self.result.not_sent += 1
            return False
        else:
            one = socket.socket()
            began = time.perf_counter()
            try:
                one.connect(("127.0.0.1", self.port))
            except OSError:
                self.result.broken += 1
                one.close()
                return False
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(one, selectors.EVENT_READ)
        kind, request = self.requests[self.taken % len(self.requests)]
        self.taken += 1
        try:
            self.busy[one] = [kind, due, began, bytearray(), None]
            one.sendall(request)
        except OSError:
            self._broken(one)
            return False
        return True

    def _broken(self, one):
        if self.busy.pop(one, None) is not None:
            self.result.broken += 1
        elif one in self.free:
            self.free.remove(one)
        self.selector.unregister(one)
        one.close()

    def _receive(self, pause):
        for key, _ in self.selector.select(pause):
            one = key.fileobj
            try:
                chunk = one.recv(1 << 18)
            except OSError:
                chunk = b""
            state = self.busy.get(one)
            if not chunk or state is None:
                self._broken(one)
                continue
            state[3] += chunk
            if state[4] is None:
                at = state[3].find(b"\r\n\r\n")
                if at < 0:
                    continue
                head = bytes(state[3][:at]).lower()
                length = head.find(b"content-length:")
                state[4] = at + 4 + int(head[length + 15 :].split(b"\r\n", 1)[0])
            if len(state[3]) >= state[4]:
                self._done(one, state)

    def _done(self, one, state):
        kind, due, began, text, _ = state
        del self.busy[one]
        now = time.perf_counter() - self.started
        degraded = b'"degraded":true' in text
        self.result.answers.append((kind, int(text[9:12]), degraded, due - self.started, began - self.started, now))
        if b"\r\nConnection: close" in text[:600]:
            self.selector.unregister(one)
            one.close()
        else:
            self.free.append(one)


def _work(load, pipe):
    pipe.send(Worker(*load).run())
    pipe.close()


class Flood:
    """Processes that load a port for some seconds; finish() gives what they saw together."""

    def __init__(self, port, requests, seconds, connections=None, rate=None):
        processes = 1 if rate is None else 2
        context = multiprocessing.get_context("fork")
        self.pipes, self.processes = [], []
        for i in range(processes):
            mine, theirs = context.Pipe(duplex=False)
            share = None if connections is None else connections // processes + (i < connections % processes)
            load = (port, requests[i::processes], share, None if rate is None else rate / processes, seconds)
            process = context.Process(target=_work, args=(load, theirs), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(mine)
            self.processes.append(process)

    def finish(self):
        whole = Result()
        for pipe, process in zip(self.pipes, self.processes):
            one = pipe.recv()
            process.join(20)
            whole.answers += one.answers
            whole.broken += one.broken
            whole.not_sent += one.not_sent
            whole.processor_seconds += one.processor_seconds
            whole.seconds = max(whole.seconds, one.seconds)
        whole.answers.sort(key=lambda answer: answer[5])
        return whole
