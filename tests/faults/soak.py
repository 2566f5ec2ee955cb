"""Ten clients for many minutes: 70 % searches by text, 15 % by picture, 10 % by both, 5 % clicks. No hard error, no restart, and
nothing that grows: memory, handles, or the time that an answer takes."""

import json

import document
from endpoints import SEARCH, encoded_picture, percentile, word
from flood import Flood, raw
from overload import Memory
from shop import Shop, harness, parser

CLIENTS = 10
MIX = ("text",) * 14 + ("image",) * 3 + ("hybrid",) * 2 + ("click",)  # of twenty
LEAST_ANSWERS = 20  # of a quarter
DISTINCT = 20_000
PICTURES = 1_000
# Caches are full in the first quarter: what grows later is a leak.
SETTINGS = ("--list-cache-mb", "8", "--picture-cache-mb", "2", "--pair-cache-mb", "4", "--near-cache-mb", "4")
MEMORY_SHARE, MEMORY_BYTES = 0.10, 16 << 20
MORE_HANDLES = CLIENTS + 5  # a busy machine may not have all connections in the first quarter
SLOWER, SLOWER_MS = 1.5, 5


def requests_of(shop):
    """The mix, in an order that repeats after twenty; the clients of one process take it in turn."""
    pictures = [encoded_picture(number) for number in range(PICTURES)]
    made = []
    for number in range(DISTINCT):
        kind, thing = MIX[(number * 7) % len(MIX)], shop.things[number % len(shop.things)]
        text = f"{thing} {word(number)}"
        user = f"shopper-{number % 200}"
        if kind == "text":
            request = raw("GET", f"{SEARCH}?query={text.replace(' ', '+')}&k=10&userId={user}")
        elif kind == "click":
            body = {"user_id": user, "item_id": shop.articles[number % len(shop.articles)], "source": "search"}
            request = raw("POST", "/api/events/click", json.dumps(body).encode())
        else:
            body = {"image_base64": pictures[number % PICTURES], "k": 10}
            body |= {"query": text} if kind == "hybrid" else {"mode": "image_to_image"}
            request = raw("POST", f"{SEARCH}/{kind}", json.dumps(body).encode())
        made.append((kind, request))
    return made


class Soak:
    def __init__(self, shop, failures, options):
        self.shop, self.failures, self.options = shop, failures, options
        self.slack = 4 if options.brief else 1

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:600])

    def run(self):
        data = self.shop.data()
        with self.shop.serve(data, *SETTINGS) as server:
            memory = Memory(server)
            processor = server.processor_seconds()
            result = Flood(server.port, requests_of(self.shop), 60 * self.options.minutes, connections=CLIENTS).finish()
            served = server.processor_seconds() - processor
            samples = memory.stop()
            self.restarts = 0 if server.alive() else 1  # nothing starts it again
            self.check("no restart", self.restarts == 0)
            self.judge(result, samples, served)
            self.check("it stops as it should", server.stop()[0] == 0)
        clicks = sum(answer[0] == "click" and answer[1] == 200 for answer in result.answers)
        kept = self.shop.exported(data) or {}
        self.check(
            "every acknowledged click is kept",
            len(kept) >= clicks and len(kept) <= clicks + result.broken,
            f"{len(kept)} of {clicks}",
        )
        done = harness.run(self.shop.program, "events", "rebuild", "--data", data)
        self.check("the features are what the log gives", done.returncode == 0, done.stdout + done.stderr)
        self.notes.append(f"{clicks} clicks acknowledged, {len(kept)} kept.")
        print(self.notes[-1])

    def judge(self, result, samples, served):
        answers = result.answers
        errors = [answer for answer in answers if answer[1] != 200]
        degraded = sum(answer[2] for answer in answers)
        quarter = result.seconds / 4
        first = [answer for answer in answers if answer[5] <= quarter]
        last = [answer for answer in answers if answer[5] > 3 * quarter]
        early, end = samples[len(samples) // 4], samples[-1]
        self.rows = [self.row(kind, answers, first, last) for kind in ("text", "image", "hybrid", "click")]
        self.notes = [
            f"{len(answers)} requests in {result.seconds:.0f} s, {len(errors)} hard errors, {result.broken} broken connections, "
            f"{self.restarts} restarts, {100 * degraded / max(1, len(answers)):.2f} % degraded.",
            f"Memory {early[0] / 1e6:.0f} MB after the first quarter, {end[0] / 1e6:.0f} MB at the end; "
            f"handles {early[1]} and {end[1]}.",
            f"The load took {result.processor_seconds:.0f} s of processor time, the server {served:.0f} s.",
        ]
        for line in [*(" | ".join(row) for row in self.rows), *self.notes]:
            print(line, flush=True)
        check = self.check
        check("there was load", len(first) > LEAST_ANSWERS and len(last) > LEAST_ANSWERS, (len(first), len(last)))
        check(
            "no hard error", not errors and result.broken == 0, [(answer[0], answer[1]) for answer in errors[:5]] or result.broken
        )
        check("memory does not grow", end[0] <= early[0] * (1 + MEMORY_SHARE) + MEMORY_BYTES, self.notes[1])
        check("handles do not grow", end[1] <= early[1] + MORE_HANDLES, self.notes[1])
        for share in (0.5, 0.99):
            was, now = (1000 * percentile([answer[5] - answer[4] for answer in part], share) for part in (first, last))
            check(
                f"latency does not grow (p{100 * share:.0f})",
                now <= (SLOWER * was + SLOWER_MS) * self.slack,
                f"{was:.1f} ms, then {now:.1f} ms",
            )

    @staticmethod
    def row(kind, answers, first, last):
        def told(some):
            times = [1000 * (answer[5] - answer[4]) for answer in some if answer[0] == kind]
            return f"{percentile(times, 0.5):.1f} / {percentile(times, 0.99):.1f}"

        count = sum(answer[0] == kind for answer in answers)
        degraded = sum(answer[2] for answer in answers if answer[0] == kind)
        return (kind, str(count), f"{100 * degraded / max(1, count):.2f} %", told(first), told(last))

    def part(self):
        return (
            document.table(
                ("request", "answers", "degraded", "first quarter p50 / p99 ms", "last quarter p50 / p99 ms"), self.rows
            )
            + "\n"
            + "".join(f"- {note}\n" for note in self.notes)
            + "\n"
        )


def main():
    options = parser(description=__doc__)
    options.add_argument("--minutes", type=float, default=20)
    options = options.parse_args()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        soak = Soak(Shop(options.program, folder, products=12 if options.brief else 200), failures, options)
        soak.run()
    if options.write_docs:
        document.write("soak", soak.part())
    failures.finish()


if __name__ == "__main__":
    main()
