"""What is asked of a server under a fault, endpoint by endpoint, and what came back."""

import base64
import csv
import http.client
import json
import random
import struct
import time
import zlib
from dataclasses import dataclass, field

REQUEST_SECONDS = 15
SHOPPERS = 50
SEARCH = "/api/recommendation/search"


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def picture(seed, size=48):
    """A PNG of coloured stripes, another one for each seed: no cache knows it."""
    chance = random.Random(seed)
    stripes = [bytes(chance.randrange(256) for _ in range(3)) for _ in range(6)]
    rows = b"".join(b"\0" + b"".join(stripes[(x * 6) // size] for x in range(size)) for _ in range(size))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def encoded_picture(seed):
    return base64.b64encode(picture(seed)).decode()


def word(number):
    """Letters that no other number gives, and that no catalogue has."""
    letters = ""
    while number or not letters:
        number, digit = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[digit]
    return "qx" + letters


@dataclass
class Answer:
    status: object  # a number, or "no answer"
    seconds: float
    body: dict = field(default_factory=dict)

    @property
    def items(self):
        data = self.body.get("data", self.body.get("suggestions"))
        return len(data) if isinstance(data, list) else 0

    @property
    def label(self):
        """Why it is less than whole: the degradation's reason, or the error's code."""
        error = self.body.get("error")
        if isinstance(error, dict):
            return error.get("reason") or error.get("code")
        return self.body.get("degradation_reason")

    @property
    def source(self):
        return self.body.get("fallback_source")


class Client:
    """One connection, kept; opened anew where it was closed."""

    def __init__(self, port, seconds=REQUEST_SECONDS):
        self.port, self.seconds, self.connection = port, seconds, None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _send(self, method, path, body):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
        self.connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body).encode()
        fresh = self.connection is None
        began = time.perf_counter()
        try:
            try:
                status, answer = self._send(method, path, text)
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                if fresh:
                    raise
                status, answer = self._send(method, path, text)  # a kept connection had ended while nothing was asked
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer("no answer", time.perf_counter() - began)
        seconds = time.perf_counter() - began
        try:
            document = json.loads(answer)
        except ValueError:
            document = {}
        return Answer(status, seconds, document if isinstance(document, dict) else {})


class Endpoints:
    """The questions, none asked twice in the same words. `articles`: ids; `things`: words that articles have."""

    NAMES = (
        "text search",
        "image search",
        "hybrid",
        "reranked search",
        "suggest",
        "for-you",
        "similar",
        "complete the look",
        "trending",
        "why-not",
        "event post",
        "users",
        "articles change",
        "ready",
        "metrics",
    )
    WRITES = ("event post", "articles change")

    def __init__(self, articles, things, seed=1):
        self.articles, self.things = articles, things
        self.chance = random.Random(seed)
        self.number = 0
        self.acknowledged = {}  # event id → the item
        self.changed = {}  # article → the last price that was acknowledged

    def request(self, name):
        """Method, path and body."""
        self.number += 1
        n, article = self.number, self.articles[self.number % len(self.articles)]
        words = f"{self.things[n % len(self.things)]}+{word(n)}".replace(" ", "+")
        return {
            "text search": ("GET", f"{SEARCH}?query={words}&k=5&rerank=false", None),
            "image search": ("POST", f"{SEARCH}/image", {"mode": "image_to_image", "image_base64": encoded_picture(n), "k": 5}),
            "hybrid": (
                "POST",
                f"{SEARCH}/hybrid",
                {"query": words.replace("+", " "), "image_base64": encoded_picture(n), "k": 5, "rerank": False},
            ),
            "reranked search": ("GET", f"{SEARCH}?query={words}&k=5&rerank=20", None),
            "suggest": ("GET", f"/api/recommendation/suggest?prefix={self.things[n % len(self.things)][:3]}", None),
            "for-you": ("GET", f"/api/recommendation/for-you?userId=shopper-{n % SHOPPERS}&k=5", None),
            "similar": ("GET", f"/api/recommendation/similar/{article}?k=5", None),
            "complete the look": ("GET", f"/api/recommendation/complete-the-look/{article}?k=4", None),
            "trending": ("GET", "/api/recommendation/trending?k=5", None),
            "why-not": ("GET", f"/api/recommendation/why-not?query={words}&article_id={article}&rerank=false", None),
            "event post": (
                "POST",
                "/api/events/click",
                {"user_id": f"shopper-{n % SHOPPERS}", "item_id": article, "source": "search", "event_id": f"event-{n}"},
            ),
            "users": ("GET", f"/api/users/shopper-{n % SHOPPERS}", None),
            "articles change": ("PATCH", f"/api/articles/{article}", {"price": round(5 + self.chance.random() * 50, 2)}),
            "ready": ("GET", "/ready", None),
            "metrics": ("GET", "/metrics", None),
        }[name]

    def ask(self, client, name):
        """One question; what is acknowledged goes into the books."""
        method, path, body = self.request(name)
        answer = client.ask(method, path, body)
        if answer.status == 200 and name == "event post":
            self.acknowledged[body["event_id"]] = body["item_id"]
        if name == "articles change":
            article = path.rsplit("/", 1)[1]
            if answer.status == 200:
                self.changed[article] = body["price"]
            else:
                self.changed.pop(article, None)  # refused or unknown: either price may stand
        return answer


class Row:
    """What an endpoint answered under a fault."""

    def __init__(self, name):
        self.name, self.answers = name, []

    def counts(self, of):
        found = {}
        for answer in self.answers:
            key = of(answer)
            found[key] = found.get(key, 0) + 1
        return found

    def milliseconds(self, share):
        return 1000 * percentile([answer.seconds for answer in self.answers], share)

    def cells(self):
        """Status, what was served, label, p50 and p99, for a table."""

        def told(counts):
            several = len(counts) > 1
            ordered = sorted(counts.items(), key=lambda one: -one[1])
            return ", ".join(f"{key} ×{count}" if several else str(key) for key, count in ordered)

        found = {}
        for answer in self.answers:
            if answer.status == 200:
                found.setdefault(answer.source, []).append(answer.items)

        def served(answer):
            if answer.status != 200:
                return "nothing"
            if self.name in ("why-not", "event post", "users", "articles change", "ready", "metrics"):
                return "the answer"
            least, most = min(found[answer.source]), max(found[answer.source])
            return (f"{least}–{most} items" if least < most else f"{most} items") + (
                f" of {answer.source}" if answer.source else ""
            )

        return [
            told(self.counts(lambda answer: answer.status)),
            told(self.counts(served)),
            told(self.counts(lambda answer: f"`{answer.label}`" if answer.label else "–")),
            f"{self.milliseconds(0.5):.1f}",
            f"{self.milliseconds(0.99):.1f}",
        ]


def things_of(table):
    """Product types of an articles table, as words of a query."""
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    types = sorted({row["product_type_name"].lower() for row in rows})
    plain = [one for one in types if one.isalpha()]
    return [row["article_id"] for row in rows], plain or types
