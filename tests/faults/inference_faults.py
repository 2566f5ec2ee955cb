"""Models in another process that goes away, stands still, or cannot be reached."""

import time
from dataclasses import replace

from endpoints import SEARCH, Client, word
from expect import ENCODED, INFERENCE, NO_LIST, NOT_RERANKED, PICTURE, POPULAR, TEXT, WHOLE, Case, Expect
from machine import BlackHole, paused
from shop import free_port

REFUSED_MS = 20
HUNG_MS = 600 + 20  # the request's deadline, where nothing else answers
WORDS_MS = 250 + 20  # retrieval_budget_ms, where words have an answer
SIDES = frozenset({"HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY"})
KNOWN_AFTER = 6  # failures of a kind of model, after which it is left alone
RECOVERY_SECONDS = 15
START_SECONDS = 3  # all models are asked at once, and waited for together


def models_away(p99_ms):
    """Words answer what has words; a picture alone gets what is popular."""
    expected = Expect(p99_ms=p99_ms)
    return {
        "text search": expected.always_less(INFERENCE, p99_ms=min(p99_ms, WORDS_MS)),
        "reranked search": expected.always_less(INFERENCE, NOT_RERANKED),
        "image search": expected.always_less(INFERENCE, NO_LIST, sources=POPULAR),
        "hybrid": expected.always_less(INFERENCE, SIDES),
        "why-not": expected,
        "similar": replace(WHOLE["similar"]),
    }


class InferenceFaults:
    def _over(self, port):
        return ["--inference-url", f"http://127.0.0.1:{port}"]

    def inference_killed(self):
        """SIGKILL while searches go on; then another one at the same port."""
        port, data, endpoints = free_port(), self.shop.data(), self.shop.endpoints()
        with self.shop.inference(port) as role, self.shop.serve(data, *self._over(port)) as server:
            self.until_whole(server.port)
            self.warm(endpoints, server.port)
            role.kill()
            rows = self.measure(endpoints).run("inference_killed", server.port, models_away(HUNG_MS))
            with self.shop.inference(port):
                back = self.recovery("inference_killed", server.port)
            self.finish(
                Case("inference_killed", data, endpoints, server),
                "SIGKILL to the process of the models, under questions",
                rows,
                [back],
            )

    def inference_refused(self):
        """Nobody listens where the models should be, and the server knows it."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self.shop.serve(data, *self._over(free_port())) as server:
            rows = self.measure(endpoints).run("inference_refused", server.port, models_away(REFUSED_MS), skip_first=3)
            self.finish(Case("inference_refused", data, endpoints, server), "connections to the models' port are refused", rows)

    def inference_hung(self):
        """SIGSTOP: connections stay, nothing is answered."""
        port, data, endpoints = free_port(), self.shop.data(), self.shop.endpoints()
        with self.shop.inference(port) as role, self.shop.serve(data, *self._over(port)) as server:
            self.until_whole(server.port)
            self.warm(endpoints, server.port)
            with paused(role.process):
                first = self.first_questions("inference_hung", server.port)
                rows = self.measure(endpoints).run("inference_hung", server.port, models_away(HUNG_MS))
                later = self.measure(endpoints).run(
                    "inference_hung, known", server.port, models_away(REFUSED_MS), only=ENCODED, skip_first=KNOWN_AFTER
                )
            back = self.recovery("inference_hung", server.port)
            known = ", ".join(f"{row.name} {row.milliseconds(0.99):.1f} ms" for row in later)
            notes = [first, f"Once the server leaves them alone, p99: {known}.", back]
            self.finish(
                Case("inference_hung", data, endpoints, server),
                "SIGSTOP to the process of the models, under questions",
                rows,
                notes,
            )

    def inference_silent(self):
        """Connections are taken, and that is all."""
        self._black_hole("inference_silent", BlackHole(), "the models' port takes connections and never answers")

    def inference_unreachable(self):
        """Not even that: the system lets the connection wait, as for an address where nobody is."""
        hole = BlackHole(backlog=0)
        self._black_hole("inference_unreachable", hole, "connections to the models' port are neither taken nor refused")

    def _black_hole(self, name, hole, what):
        data, endpoints = self.shop.data(), self.shop.endpoints()
        try:
            began = time.monotonic()
            with self.shop.serve(data, *self._over(hole.port)) as server:
                started = time.monotonic() - began
                self.check(f"{name}: the start does not wait for the models", started < START_SECONDS * self.slack, f"{started:.1f} s")
                rows = self.measure(endpoints).run(name, server.port, models_away(HUNG_MS))
                self.finish(Case(name, data, endpoints, server), what, rows, [f"Ready {started:.1f} s after its start."])
        finally:
            hole.close()

    # What these share

    def until_whole(self, port, seconds=30):
        """Searches by meaning and by picture are whole: all models were found. Returns the seconds."""
        endpoints, client = self.shop.endpoints(), Client(port)
        endpoints.number = 500_000 + int(time.monotonic() * 1000) % 400_000
        began = time.monotonic()
        while True:
            answers = [endpoints.ask(client, name) for name in (*TEXT, *PICTURE)]
            if all(answer.status == 200 and answer.label is None for answer in answers):
                client.close()
                return time.monotonic() - began
            if time.monotonic() - began > seconds:
                raise RuntimeError(f"not whole within {seconds} s: {[(answer.status, answer.label) for answer in answers]}")
            time.sleep(0.05)

    def recovery(self, name, port):
        seconds = self.until_whole(port)
        self.check(f"{name}: recovery", seconds < RECOVERY_SECONDS * self.slack, f"{seconds:.1f} s")
        return f"All searches whole again {seconds:.1f} s after it was back."

    def first_questions(self, name, port):
        """The first ones that meet models that stand still, each with the time that its words took."""
        client, lines = Client(port), []
        for number in range(3):
            thing = self.shop.things[number % len(self.shop.things)]
            answer = client.ask("GET", f"{SEARCH}?query={thing}+{word(900_000 + number)}&k=5&rerank=false")
            words = [stage["took_ms"] for stage in answer.body.get("stages", []) if stage["stage"] == "lexical"]
            self.check(
                f"{name}: question {number + 1} is answered by words", answer.items > 0 and answer.label in INFERENCE, answer
            )
            self.check(f"{name}: its words do not wait", words and words[0] < 20 * self.slack, answer.body.get("stages"))
            self.check(
                f"{name}: within the budget", 1000 * answer.seconds < WORDS_MS * self.slack, f"{1000 * answer.seconds:.0f} ms"
            )
            lines.append(f"{1000 * answer.seconds:.0f} ms (words {words[0] if words else float('nan'):.1f} ms, `{answer.label}`)")
        return "The first three questions that met it: " + ", ".join(lines) + "."

    def finish(self, case, what, rows, notes=()):
        """Stops the server, looks into its log, and records what was seen."""
        self.stop(case)
        kept = self.shop.check_kept(case.data, case.endpoints, self.check, case.name)
        self.record(case.name, what, rows, [*notes, f"{kept} acknowledged clicks, all kept."])
