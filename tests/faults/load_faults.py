"""Too much of something: requests, connections that dawdle, open files; and a clock that jumps."""

import contextlib
import threading
import time

from endpoints import SEARCH, Client, word
from expect import FROM_POPULAR, WHOLE, Case, Expect
from flood import Flood, raw
from machine import Shim, held_connections

FLOOD_LABELS = {
    None,
    "DOWNSTREAM_CAPACITY_REJECTED",
    "overloaded",
    "INFERENCE_TIMEOUT",
    "INFERENCE_UNAVAILABLE",
    "RETRIEVAL_UNAVAILABLE",
    "RERANK_PARTIAL",
    "RERANK_UNAVAILABLE",
    "HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY",
    "CACHE_MISS",
    "PERSONALIZATION_UNAVAILABLE",
    "STALE_DATA_ALLOWED",
}
DEADLINE_MS = 600
SLOW_READERS, SLOW_WRITERS = 50, 200
READ_TIMEOUT_MS = 2_000
SPARE_DESCRIPTORS, WANTED_DESCRIPTORS = 10, 60
JUMPS = ((2 * 86_400, "two days on"), (-7_200, "two hours back"))


def text_requests(things, count, salt):
    """Searches by words and meaning, each in words of its own."""
    return [
        ("text", raw("GET", f"{SEARCH}?query={things[i % len(things)]}+{word(salt + i)}&k=10&rerank=false")) for i in range(count)
    ]


class LoadFaults:
    def capacity(self, port, seconds=3.0):
        """Answers a second of a closed loop."""
        flood = Flood(port, text_requests(self.shop.things, 20_000, 10_000_000), seconds, connections=8)
        result = flood.finish()
        return max(1.0, len(result.answers) / result.seconds)

    def overload(self):
        """Ten times the searches that it can answer, and every endpoint asked beside them."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self.shop.serve(data) as server:
            self.warm(endpoints, server.port)
            capacity = self.capacity(server.port)
            ending = threading.Event()
            results = []

            def load():
                salt = 20_000_000
                while not ending.is_set():
                    salt += 100_000
                    results.append(
                        Flood(server.port, text_requests(self.shop.things, 20_000, salt), 5.0, rate=10 * capacity).finish()
                    )

            loading = threading.Thread(target=load)
            loading.start()
            time.sleep(1)
            under = {
                name: Expect(
                    statuses=frozenset({200, 503}),
                    labels=frozenset(FLOOD_LABELS | {"deadline_exceeded"}),
                    sources=FROM_POPULAR | {"cached"},
                    p99_ms=DEADLINE_MS + 400,
                )
                for name in WHOLE
            }
            under["metrics"] = under["ready"] = Expect(p99_ms=DEADLINE_MS + 400)
            rows = self.measure(endpoints).run("overload", server.port, under)
            ending.set()
            loading.join()
            after = self.until_whole(server.port)
            answers = [answer for result in results for answer in result.answers]
            refused = sum(answer[1] == 503 for answer in answers)
            self.check("overload: others' answers", all(answer[1] in (200, 503) for answer in answers))
            notes = [
                f"Capacity {capacity:.0f}/s; {len(answers)} answers to the load, {refused} of them refusals.",
                f"All searches whole {after:.2f} s after the load ended.",
            ]
            self.finish(
                Case("overload", data, endpoints, server),
                "ten times the searches by text that it can answer, beside the questions",
                rows,
                notes,
            )

    def slow_clients(self):
        """Headers that come a byte a second, and answers that nobody reads."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self.shop.serve(data, "--read-timeout-ms", str(READ_TIMEOUT_MS)) as server:
            self.warm(endpoints, server.port)
            before = server.descriptors()
            ask = raw("GET", "/openapi.json") * 200  # far more than the system's buffers hold
            readers = held_connections(server.port, SLOW_READERS)
            for one in readers:
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    one.send(ask)
            writers = held_connections(server.port, SLOW_WRITERS, b"GET /api/recommendation/search?query=")
            ending = threading.Event()
            dawdling = threading.Thread(target=self.dawdle, args=(writers, ending))
            dawdling.start()
            began = time.monotonic()
            rows = self.measure(endpoints).run("slow_clients", server.port)
            left = self.seconds_until(lambda: server.descriptors() <= before + SLOW_READERS + 5, 10 * READ_TIMEOUT_MS / 1000)
            ending.set()
            dawdling.join()
            for one in readers + writers:
                one.close()
            self.check("slow_clients: requests that do not end are ended", left is not None, server.descriptors() - before)
            freed = self.seconds_until(lambda: server.descriptors() <= before + 2, 10)
            self.check("slow_clients: handles are given back", freed is not None, server.descriptors() - before)
            notes = [
                f"{SLOW_WRITERS} connections that send a byte a second, {SLOW_READERS} that read none of 200 large answers; with "
                f"`read_timeout_ms` {READ_TIMEOUT_MS} the first were gone after {time.monotonic() - began:.1f} s at most."
            ]
            self.finish(
                Case("slow_clients", data, endpoints, server),
                "clients that send and read too slowly, beside the questions",
                rows,
                notes,
            )

    @staticmethod
    def dawdle(writers, ending):
        while not ending.wait(1.0):
            for one in writers:
                with contextlib.suppress(OSError):
                    one.send(b"a")

    @staticmethod
    def seconds_until(done, most):
        began = time.monotonic()
        while not done():
            if time.monotonic() - began > most:
                return None
            time.sleep(0.05)
        return time.monotonic() - began

    def descriptors(self):
        """No more files or sockets may be opened: who is connected is served, who comes waits, nobody is the cause of a crash."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self.shop.serve(data) as server:
            self.warm(endpoints, server.port)
            kept = Client(server.port)
            kept.ask("GET", "/live")
            limit = server.descriptors() + SPARE_DESCRIPTORS
            server.limit_descriptors(limit)
            held = held_connections(server.port, WANTED_DESCRIPTORS)
            self.check(
                "descriptors: they are used up", self.seconds_until(lambda: server.descriptors() >= limit - 1, 5) is not None
            )
            processor, began = server.processor_seconds(), time.monotonic()
            time.sleep(2)
            busy = (server.processor_seconds() - processor) / (time.monotonic() - began)
            self.check("descriptors: it does not spin", busy < 0.5, f"{100 * busy:.0f} % of a core while nothing is asked")
            rows = self.measure(endpoints).run("descriptors", kept)
            for one in held:
                one.close()
            back = self.seconds_until(lambda: Client(server.port, seconds=1).ask("GET", "/live").status == 200, 10)
            self.check("descriptors: new connections again", back is not None and back < 2 * self.slack, back)
            notes = [
                f"{100 * busy:.0f} % of a core while {WANTED_DESCRIPTORS} connections wanted {SPARE_DESCRIPTORS} handles.",
                f"A new connection is served {back if back is not None else float('nan'):.2f} s after they were given back.",
            ]
            self.finish(
                Case("descriptors", data, endpoints, server),
                "no file handle is left (RLIMIT_NOFILE); the questions come over a connection from before",
                rows,
                notes,
            )

    def clock_jump(self):
        """The clock of the day jumps while the server runs; the monotonic one does not."""
        data, endpoints, shim = self.shop.data(), self.shop.endpoints(), Shim(self.shop.folder)
        notes = []
        with self.shop.serve(data, before=shim.environment(data)) as server:
            self.warm(endpoints, server.port)
            for seconds, how in JUMPS:
                shim.set(clock_offset_s=seconds)
                rows = self.measure(endpoints).run(f"clock_jump, {how}", server.port)
                times = ", ".join(f"{row.name} {row.milliseconds(0.99):.0f} ms" for row in rows)
                notes.append(f"{how[0].upper()}{how[1:]}, p99: {times}.")
            shim.clear()
            self.finish(
                Case("clock_jump", data, endpoints, server),
                "the clock of the day jumps two days on, then to two hours before its true time (the table)",
                rows,
                notes,
            )
