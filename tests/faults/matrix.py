"""Each fault times each endpoint: what is answered, by which label, how late, and that nothing acknowledged is lost. A method of
the classes below is a fault: it makes it, says what must be seen, and fails where that is not what is seen.

    matrix.py --program P [--only FAULT,…] [--brief] [--write-docs]
"""

import time
import traceback

import document
from disk_faults import DiskFaults
from endpoints import Client
from expect import Measure
from inference_faults import InferenceFaults
from load_faults import LoadFaults
from machine import CannotBeMade
from redis_faults import RedisFaults
from shop import Shop, harness, parser

ALL = (
    "none",
    "inference_killed",
    "inference_refused",
    "inference_hung",
    "inference_silent",
    "inference_unreachable",
    "redis_slow",
    "redis_refused",
    "disk_full",
    "disk_read_only",
    "sync_failed",
    "descriptors",
    "clock_jump",
    "truncated",
    "overload",
    "slow_clients",
    "killed",
)
BRIEF = ("inference_refused", "inference_hung", "redis_slow", "disk_full", "sync_failed", "truncated", "killed")
CLICKS_BEFORE = 30
HEADER = ("endpoint", "status", "served", "label", "p50 ms", "p99 ms")


class Matrix(InferenceFaults, RedisFaults, DiskFaults, LoadFaults):
    def __init__(self, shop, failures, options):
        self.shop, self.failures, self.options = shop, failures, options
        self.times = 3 if options.brief else 40
        self.slack = 10 if options.brief else 1  # of limits of time, which a machine that does other work too would pass
        self.sections = []

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:700])

    def measure(self, endpoints):
        return Measure(endpoints, self.check, self.times, self.slack)

    def warm(self, endpoints, port, times=2):
        """The same questions before the fault, which must all be answered whole; nothing is timed. And some clicks."""
        Measure(endpoints, self.check, times, 100).run("before the fault", port)
        client = Client(port)
        for _ in range(CLICKS_BEFORE):
            endpoints.ask(client, "event post")

    def record(self, name, what, rows, notes=()):
        self.sections.append((name, what, rows, notes))
        print(f"--- {name}: {what}")
        for row in rows:
            print("    " + " | ".join([row.name.ljust(17), *row.cells()]))
        for note in notes:
            print("    " + note, flush=True)

    def stop(self, case):
        self.check(f"{case.name}: the server never went away", case.server.alive())
        code, _ = case.server.stop()
        self.check(f"{case.name}: it stops as it should", code == 0, code)

    def run(self, name):
        began, failed = time.monotonic(), self.failures.count
        try:
            getattr(self, name)()
        except CannotBeMade as cause:
            if self.options.brief:
                harness.skip(f"{name}: {cause}")
            self.check(name, False, cause)
        except Exception:  # the others are of interest all the same
            self.failures.check(name, False, traceback.format_exc())
        print(f"{name}: {time.monotonic() - began:.1f} s, {self.failures.count - failed} failed", flush=True)

    def none(self):
        """Nothing is wrong: what the faults are compared with."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self.shop.serve(data) as server:
            self.warm(endpoints, server.port)
            rows = self.measure(endpoints).run("none", server.port)
            server.stop()
        kept = self.shop.check_kept(data, endpoints, self.check, "none")
        self.record(
            "none", "no fault: models, events and features in one process", rows, [f"{kept} acknowledged clicks, all kept."]
        )

    def part(self):
        text = [
            f"{self.times} questions an endpoint and fault, one after the other over one connection, each in words and pictures "
            "that were not asked before. `–` is an answer that is whole.\n"
        ]
        for name, what, rows, notes in self.sections:
            text.append(f"### {name.replace('_', ' ')}\n{what[0].upper()}{what[1:]}.\n")
            if rows:
                text.append(document.table(HEADER, [[row.name, *row.cells()] for row in rows]))
            text += [f"- {note}" for note in notes]
            text.append("")
        return "\n".join(text)


def main():
    options = parser(description=__doc__)
    options.add_argument("--only", help="faults, separated by commas: " + ", ".join(ALL))
    options = options.parse_args()
    names = options.only.split(",") if options.only else BRIEF if options.brief else ALL
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        matrix = Matrix(Shop(options.program, folder, products=12 if options.brief else 40), failures, options)
        for name in names:
            matrix.run(name)
    if options.write_docs:
        document.write("matrix", matrix.part())
    failures.finish()


if __name__ == "__main__":
    main()
