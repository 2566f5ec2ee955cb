"""Shoppers: clicks at a bounded rate over kept connections, each sent again under its event id until it is acknowledged.

While gateways refuse, new clicks keep their rate, and all that wait are tried again no faster than that rate; the first
acknowledgement after refusals has all that wait tried at once. What is due together goes in one request.
"""

import heapq
import http.client
import json
import random
import threading
import time

RETRY_SECONDS = 0.5
REQUEST_SECONDS = 15
SETTLED = (200,)
TRY_AGAIN = (429, 503)
MAX_BATCH = 50


class Ledger:
    """What became of each event: the sender's own books. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}   # event id → (user, item, time of the answer)
        self.answers = {}        # status, or "no answer" → how often
        self.problems = []
        self.latencies = []      # seconds of the answers with 200
        self.open = 0            # made and not acknowledged

    def note(self, status, events):
        with self.lock:
            self.answers[status] = self.answers.get(status, 0) + events

    def acknowledge(self, event, seconds):
        with self.lock:
            self.acknowledged[event["event_id"]] = (event["user_id"], event["item_id"], time.time())
            self.latencies.append(seconds)
            self.open -= 1

    def of_user(self):
        counts = {}
        with self.lock:
            for user, _, _ in self.acknowledged.values():
                counts[user] = counts.get(user, 0) + 1
        return counts


class Load:
    """`rate` clicks a second by users of its own (`name`-0 …), over `threads` connections spread over `ports`, until stop()."""

    def __init__(self, name, ports, articles, rate=50, threads=8, users=40, seed=1):
        self.name, self.ports, self.articles = name, ports, articles
        self.rate, self.users = rate, [f"{name}-{i}" for i in range(users)]
        self.random = random.Random(f"{name}/{seed}")
        self.ledger = Ledger()
        self.changed = threading.Condition()
        self.waiting = []          # (time due, number, event); guarded by changed
        self.made = 0
        self.making = True
        self.ending = False
        self.refused = False       # by the last answer; guarded by changed
        self.threads = [threading.Thread(target=self._send, args=(i,), daemon=True) for i in range(threads)]
        self.maker = threading.Thread(target=self._make, daemon=True)

    def start(self):
        self.maker.start()
        for thread in self.threads:
            thread.start()
        return self

    def stop(self, seconds=120):
        """No new clicks; returns when each is acknowledged, or raises."""
        with self.changed:
            self.making = False
            self.changed.notify_all()
        self.maker.join()
        until = time.monotonic() + seconds
        while self.ledger.open and time.monotonic() < until:
            time.sleep(0.05)
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        for thread in self.threads:
            thread.join(REQUEST_SECONDS + 5)
        if self.ledger.open:
            raise RuntimeError(f"{self.name}: {self.ledger.open} clicks were not acknowledged within {seconds} s: {self.ledger.answers}")
        return self.ledger

    def _put(self, due, event):
        with self.changed:
            self.made += 1
            heapq.heappush(self.waiting, (due, self.made, event))
            self.changed.notify()

    def _again(self, event):
        with self.changed:
            self.refused = True
        self._put(time.monotonic() + max(RETRY_SECONDS, self.ledger.open / self.rate), event)

    def _accepted(self):
        with self.changed:
            if self.refused:
                self.refused = False
                self.waiting = [(0.0, number, event) for _, number, event in self.waiting]
                heapq.heapify(self.waiting)
                self.changed.notify_all()

    def _make(self):
        started, number = time.monotonic(), 0
        while True:
            due = started + number / self.rate
            with self.changed:
                if not self.making:
                    return
                if due > time.monotonic():
                    self.changed.wait(min(0.05, due - time.monotonic()))
                    continue
            number += 1
            event = {"event_id": f"{self.name}/{number}", "user_id": self.random.choice(self.users),
                     "item_id": self.random.choice(self.articles), "source": "search"}
            with self.ledger.lock:
                self.ledger.open += 1
            self._put(due, event)

    def _take(self):
        """What is due, at most MAX_BATCH; None at the end."""
        with self.changed:
            while True:
                if self.ending:
                    return None
                due = []
                while self.waiting and self.waiting[0][0] <= time.monotonic() and len(due) < MAX_BATCH:
                    due.append(heapq.heappop(self.waiting)[2])
                if due:
                    return due
                self.changed.wait(0.05)

    def _send(self, number):
        connection, turn = None, number
        while (events := self._take()) is not None:
            started = time.monotonic()
            path, body = "/api/events/click", events[0]
            if len(events) > 1:
                path, body = "/api/events", {"events": [{**event, "event_type": "click"} for event in events]}
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.ports[turn % len(self.ports)], timeout=REQUEST_SECONDS)
                connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                status, text = answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                status, text = "no answer", b""
                if connection is not None:
                    connection.close()
                connection, turn = None, turn + 1
            self._settle(events, status, text, time.monotonic() - started)

    def _settle(self, events, status, text, seconds):
        self.ledger.note(status, len(events))
        if status in SETTLED:
            for event in events:
                self.ledger.acknowledge(event, seconds)
            self._accepted()
            return
        if status != "no answer" and status not in TRY_AGAIN:
            with self.ledger.lock:
                self.ledger.problems.append(f"{status} {text[:300]!r}")
        for event in events:
            self._again(event)


class Client:
    """One connection to a gateway, for questions one after the other."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def ask(self, method, path, body=None, seconds=REQUEST_SECONDS):
        """Status and document. An idle connection that was closed is opened anew, once."""
        for attempt in range(2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
                self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                return answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt:
                    raise
        return None

    def click(self, user, item, event_id):
        """Until it is acknowledged; the answer."""
        while True:
            try:
                status, answer = self.ask("POST", "/api/events/click",
                                          {"user_id": user, "item_id": item, "event_id": event_id, "source": "search"})
                if status == 200:
                    return answer
                if status not in TRY_AGAIN:
                    raise RuntimeError(f"click: {status} {answer}")
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)

    def knows(self, user, item):
        """Whether the user's features have the item."""
        try:
            status, answer = self.ask("GET", f"/api/users/{user}")
        except (OSError, http.client.HTTPException):
            return False
        return status == 200 and any(entry["item_id"] == item for entry in answer["data"]["recent_items"])


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def check_scores(client, ledger, failures, name):
    """Each click weighs one: a user's categories sum up to the clicks that were acknowledged, but for a little decay."""
    wrong = []
    for user, clicks in sorted(ledger.of_user().items()):
        _, answer = client.ask("GET", f"/api/users/{user}")
        total = sum(entry["score"] for entry in answer["data"]["affinities"])
        if not clicks * 0.999 - 0.01 <= total <= clicks + 0.01:
            wrong.append(f"{user}: {total:.3f} of {clicks}")
    failures.check(f"{name}: each acknowledged click counts once", not wrong, wrong[:5])
