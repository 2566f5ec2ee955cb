"""Three times the searches that the server can answer, in open loop: those it takes stay quick, the others are refused at once,
memory is flat, and it is as before within a second.

Capacity is what a closed loop gets; unloaded is one connection. Each request has words of its own: no list is kept for it. The
load comes from other processes (flood.py) on the same processors: their processor time is told, and how late they sent what was
due. An answer's time counts from its sending. The first second, in which the server finds that it is too much, is told by itself;
in the brief form, of which it is a large part, it is judged by itself as well.
"""

import threading
import time

import document
from endpoints import Client, percentile
from flood import Flood
from load_faults import text_requests
from shop import Shop, harness, parser

FACTOR = 3
ACCEPTED_FACTOR = 2.5  # p99 of what is taken, of the unloaded p99; the aim is 2, reached to 2.0 to 2.2 (decision 0033)
ONSET_SECONDS = 1
ONSET_MS = 250  # p99 of what is taken in it
REFUSED_MS = 5
RECOVERY_SECONDS = 1
LATE_MS = 10  # of sending what was due, p99
SETTINGS = ("--list-cache-mb", "8")  # filled in the first seconds: memory that grows later is a leak
MEMORY_SHARE, MEMORY_BYTES = 0.10, 8 << 20


class Memory:
    """Anonymous memory and handles of a process, once every half second."""

    def __init__(self, server):
        self.server, self.samples, self.ending = server, [], threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ending.wait(0.5):
            self.samples.append((self.server.memory(), self.server.descriptors()))

    def stop(self):
        self.ending.set()
        self.thread.join(5)
        return self.samples


def milliseconds(answers, share):
    return 1000 * percentile([answer[5] - answer[4] for answer in answers], share)


class Overload:
    def __init__(self, shop, failures, options):
        self.shop, self.failures, self.options = shop, failures, options
        self.seconds = options.seconds or (10 if options.brief else 60)
        self.slack = 10 if options.brief else 1
        self.salt = 0

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:600])

    def requests(self, count):
        self.salt += 1_000_000
        return text_requests(self.shop.things, count, self.salt)

    def run(self):
        data = self.shop.data()
        with self.shop.serve(data, *SETTINGS) as server:
            Flood(server.port, self.requests(5_000), 2, connections=4).finish()  # caches and pages are as they will be
            alone = Flood(server.port, self.requests(20_000), 3 if self.options.brief else 10, connections=1).finish()
            best = 0
            for connections in (2, 4, 8, 16):
                closed = Flood(
                    server.port, self.requests(30_000), 2 if self.options.brief else 5, connections=connections
                ).finish()
                good = [answer for answer in closed.answers if answer[1] == 200 and not answer[2]]
                best = max(best, len(good) / closed.seconds)
            self.check("capacity could be found", best > 0 and alone.answers)
            rate = FACTOR * best
            count = min(400_000, int(rate * self.seconds * 1.1))
            requests = self.requests(count)
            memory, processor = Memory(server), server.processor_seconds()
            flood = Flood(server.port, requests, self.seconds, rate=rate)
            over = flood.finish()
            served = server.processor_seconds() - processor
            samples = memory.stop()
            back = self.recovery(server, milliseconds(alone.answers, 0.99))
            self.tell(alone, best, over)
            self.judge_service(alone, best, over)
            self.judge_process(over, samples, served, back)
            self.check("the server stays", server.alive() and server.stop()[0] == 0)

    def recovery(self, server, unloaded_p99):
        """Seconds until ten searches in a row are whole, and as quick as those that were taken had to be."""
        client, began, good, number = Client(server.port), time.monotonic(), 0, 0
        requests = self.requests(2_000)
        while good < 10 and time.monotonic() - began < 30 and number < len(requests):
            path = requests[number][1].split(b" ")[1].decode()
            number += 1
            answer = client.ask("GET", path)
            quick = 1000 * answer.seconds <= ACCEPTED_FACTOR * self.slack * unloaded_p99
            good = good + 1 if answer.status == 200 and answer.label is None and quick else 0
        return time.monotonic() - began

    @staticmethod
    def parts_of(over):
        """What was taken, and what was refused."""
        return [one for one in over.answers if one[1] == 200], [one for one in over.answers if one[1] in (429, 503)]

    @staticmethod
    def first(answers):
        return [one for one in answers if one[4] < ONSET_SECONDS]

    def tell(self, alone, best, over):
        taken, refused = self.parts_of(over)
        name = f"{FACTOR}× capacity for {over.seconds:.0f} s"
        degraded = 100 * sum(answer[2] for answer in taken) / max(1, len(taken))

        def row(of, some, seconds, less="–"):
            return (
                of,
                f"{len(some) / seconds:.0f}",
                f"{milliseconds(some, 0.5):.1f}",
                f"{milliseconds(some, 0.99):.1f}",
                less,
            )

        self.rows = [
            row("unloaded, one connection", alone.answers, alone.seconds),
            ("capacity, closed loop", f"{best:.0f}", "–", "–", "–"),
            row(f"{name}: taken", taken, over.seconds, less=f"{degraded:.1f} %"),
            row("of these, sent in the first second", self.first(taken), ONSET_SECONDS),
            row(f"{name}: refused", refused, over.seconds),
        ]
        for one in self.rows:
            print(" | ".join(one))

    def judge_service(self, alone, best, over):
        taken, refused = self.parts_of(over)
        lasting = [one for one in taken if one[4] >= ONSET_SECONDS] if self.options.brief else taken
        unloaded, accepted, onset, said_no = (
            milliseconds(some, 0.99) for some in (alone.answers, lasting, self.first(taken), refused)
        )
        check = self.check
        check("no connection is broken", over.broken == 0, over.broken)
        check(
            "answers are answers or refusals",
            len(taken) + len(refused) == len(over.answers),
            {answer[1] for answer in over.answers},
        )
        check("some are taken, some refused", taken and refused, (len(taken), len(refused)))
        check(
            f"taken: p99 within {ACCEPTED_FACTOR}× of unloaded",
            accepted <= ACCEPTED_FACTOR * self.slack * unloaded,
            f"{accepted:.1f} ms of {unloaded:.1f} ms",
        )
        check(f"taken in the first second: p99 within {ONSET_MS} ms", onset <= ONSET_MS * self.slack, f"{onset:.1f} ms")
        check(
            "taken: the server goes on working",
            len(taken) / over.seconds > 0.4 * best,
            f"{len(taken) / over.seconds:.0f}/s of {best:.0f}/s",
        )
        check(f"refused within {REFUSED_MS} ms", said_no <= REFUSED_MS * self.slack, f"{said_no:.1f} ms")

    def judge_process(self, over, samples, served, back):
        late = 1000 * percentile([answer[4] - answer[3] for answer in over.answers], 0.99)
        early, end = samples[len(samples) // 4][0], samples[-1][0]
        self.notes = [
            f"Memory {early / 1e6:.0f} MB after a quarter of the time, {end / 1e6:.0f} MB at its end.",
            f"As unloaded {back:.2f} s after the load ended (ten searches in a row, whole and in time).",
            f"The load: {over.processor_seconds:.1f} s of processor time, sending {late:.1f} ms late (p99), {over.not_sent} not "
            f"sent, {over.broken} connections broken; the server {served:.1f} s.",
        ]
        print("\n".join(self.notes), flush=True)
        self.check("the load is in time", late <= LATE_MS * self.slack, f"{late:.1f} ms late")
        self.check("the load was there", over.not_sent < 0.01 * len(over.answers), self.notes[2])
        self.check("memory is flat", end <= early * (1 + MEMORY_SHARE) + MEMORY_BYTES, self.notes[0])
        self.check("recovery", back <= RECOVERY_SECONDS * self.slack, f"{back:.2f} s")

    def part(self):
        return (
            document.table(("load", "answers/s", "p50 ms", "p99 ms", "degraded"), self.rows)
            + "\n"
            + "".join(f"- {note}\n" for note in self.notes)
            + "\n"
        )


def main():
    options = parser(description=__doc__)
    options.add_argument("--seconds", type=float, help="of the overload (60; brief 10)")
    options = options.parse_args()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        overload = Overload(Shop(options.program, folder, products=12 if options.brief else 200), failures, options)
        overload.run()
    if options.write_docs:
        document.write("overload", overload.part())
    failures.finish()


if __name__ == "__main__":
    main()
