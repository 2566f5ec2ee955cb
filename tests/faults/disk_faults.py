"""The disk is full, cannot be written or synced, or lost a part of a file; and a process that ends without a word."""

import errno
import os
import random
import shutil
import threading
import time

from endpoints import Client
from expect import FEATURES, FROM_POPULAR, Case, Expect
from machine import Shim, fill, read_only, small_disk

# A write that was not kept is a refusal that says so, never a success.
def writes_refused(label):
    return {
        "event post": Expect().refused(503, labels={label}, p99_ms=2_500),
        "articles change": Expect().refused(503, labels={label}, p99_ms=2_500),
        "ready": Expect(statuses=frozenset({200, 503}), labels=frozenset({None})),
    }


WRITES_REFUSED, NO_ROOM = writes_refused("unavailable"), writes_refused("storage_full")
DISK_MIB = 24
EVENT_FILES = ("events.db", "features.db", "changes.db", "impressions.db")
GENERATION_FILES = ("catalog.db", "vectors.i8", "vectors.f32", "manifest.json", "image_rows.bin")


class DiskFaults:
    def disk_full(self):
        """Not a byte is left where the events are; then there is room again."""
        endpoints = self.shop.endpoints()
        with small_disk(self.shop.folder, DISK_MIB) as disk:
            data = self.shop.data(below=disk)
            with self.shop.serve(data) as server:
                self.warm(endpoints, server.port)
                filler = fill(disk)
                client = Client(server.port)
                taken = self.until_refused("disk_full", endpoints, client)
                rows = self.measure(endpoints).run("disk_full", server.port, NO_ROOM)
                os.unlink(filler)
                back = self.until_taken("disk_full", endpoints, client)
                self.finish(
                    Case("disk_full", data, endpoints, server),
                    f"the file system of the data folder ({DISK_MIB} MiB) is full",
                    rows,
                    [
                        f"{taken} more clicks found room before the first was refused.",
                        f"Clicks are taken again {back:.1f} s after there was room.",
                    ],
                )

    def disk_read_only(self):
        """Writes fail with EROFS while the server runs, as of a file system that the kernel has given up; then a start on one."""
        data, endpoints, shim = self.shop.data(), self.shop.endpoints(), Shim(self.shop.folder)
        with self.shop.serve(data, before=shim.environment(data)) as server:
            self.warm(endpoints, server.port)
            shim.set(write_errno=errno.EROFS)
            rows = self.measure(endpoints).run("disk_read_only", server.port, WRITES_REFUSED)
            shim.clear()
            answer = endpoints.ask(Client(server.port), "event post")
            notes = [f"Written again, the next click is answered with {answer.status}."]
            self.check("disk_read_only: it stops as it should", server.stop()[0] == 0)
        with read_only(data):
            notes.append(self.start_on(data, "disk_read_only: a start on it", "Read-only file system"))
        with self.shop.serve(data) as server:
            back = self.until_taken("disk_read_only", endpoints, Client(server.port))
            notes.append(f"A start on a disk that can be written takes clicks at once ({back:.1f} s).")
            server.stop()
        kept = self.shop.check_kept(data, endpoints, self.check, "disk_read_only")
        self.record(
            "disk_read_only",
            "writes below the data folder fail with EROFS",
            rows,
            [*notes, f"{kept} acknowledged clicks, all kept."],
        )

    def sync_failed(self):
        """fsync and fdatasync fail with EIO: what is on disk is unknown, so nothing more may be promised."""
        data, endpoints, shim = self.shop.data(), self.shop.endpoints(), Shim(self.shop.folder)
        with self.shop.serve(data, before=shim.environment(data)) as server:
            self.warm(endpoints, server.port)
            shim.set(sync_errno=errno.EIO)
            rows = self.measure(endpoints).run("sync_failed", server.port, WRITES_REFUSED)
            state = {one["name"]: one["status"] for one in Client(server.port).ask("GET", "/ready").body["dependencies"]}
            self.check("sync_failed: /ready names the log", state["events"] != "ok", state)
            shim.clear()
            answer = endpoints.ask(Client(server.port), "event post")
            self.check("sync_failed: after a failed sync the log takes nothing until a restart", answer.status == 503, answer)
            self.check("sync_failed: the log says so", server.said("the event log refuses writes"))
            server.kill()
        with self.shop.serve(data) as server:
            back = self.until_taken("sync_failed", endpoints, Client(server.port))
            self.finish(
                Case("sync_failed", data, endpoints, server),
                "fsync and fdatasync of files below the data folder fail with EIO",
                rows,
                [f"After a restart clicks are taken at once ({back:.1f} s)."],
            )

    def truncated(self):
        """Files end where they should not: a start names the file, and what was in it is not passed over in silence."""
        notes, rows = [], []
        for name in EVENT_FILES + (GENERATION_FILES[:1] if self.options.brief else GENERATION_FILES):
            for share in (0.5,) if self.options.brief and name != "events.db" else (0.5, 0.0):
                data, endpoints = self.used_data()
                path = self.file_of(data, name)
                size = int(os.path.getsize(path) * share)
                os.truncate(path, size)
                title = f"{name} cut to {'half' if share else 'nothing'}"
                started = self.shop.try_serve(data)
                try:
                    said = self.told(started, name)
                    if name != "impressions.db" or share:  # an empty file of impressions is one without any: they are droppable
                        self.check(f"truncated: {title}: the file is named", said, started.text()[-600:])
                    into = rows if (name, share) == ("events.db", 0.5) else None
                    notes.append(f"{title}: {self.what_came(title, started, endpoints, into, data)}")
                finally:
                    started.end()
        self.record(
            "truncated", "a file of the data folder was cut while nothing ran; the table is of events.db cut to half", rows, notes
        )

    def killed(self):
        """SIGKILL under clicks, again and again."""
        data, endpoints, chance = self.shop.data(), self.shop.endpoints(), random.Random(1)
        restarts = []
        for _ in range(1 if self.options.brief else 5):
            with self.shop.serve(data) as server:
                self.warm(endpoints, server.port, times=1)
                ending = threading.Event()
                clicking = threading.Thread(target=self.click_on, args=(endpoints, server.port, ending))
                clicking.start()
                time.sleep(0.5 + chance.random())
                server.kill()
                ending.set()
                clicking.join()
            began = time.monotonic()
            with self.shop.serve(data) as server:
                restarts.append(time.monotonic() - began)
                rows = self.measure(endpoints).run("killed", server.port)
                server.kill()
        with self.shop.serve(data) as server:
            self.finish(
                Case("killed", data, endpoints, server),
                "SIGKILL to the server under clicks; the table is of the server after its restart",
                rows,
                [f"Ready again after {max(restarts):.1f} s at most ({len(restarts)} kills)."],
            )

    # What these share

    @staticmethod
    def click_on(endpoints, port, ending):
        client = Client(port, seconds=5)
        while not ending.is_set():
            endpoints.ask(client, "event post")

    def until_refused(self, name, endpoints, client, most=5_000):
        for taken in range(most):
            if endpoints.ask(client, "event post").status != 200:
                return taken
        self.check(f"{name}: clicks are refused", False, f"{most} were taken")
        return most

    def until_taken(self, name, endpoints, client, seconds=30):
        began = time.monotonic()
        while (answer := endpoints.ask(client, "event post")).status != 200:
            if time.monotonic() - began > seconds:
                self.check(f"{name}: clicks are taken again", False, answer)
                break
            time.sleep(0.05)
        return time.monotonic() - began

    def used_data(self):
        """A data folder with some events, a checkpoint and a change, of a server that stopped; made once and copied."""
        if not hasattr(self, "used"):
            data, endpoints = self.shop.data(), self.shop.endpoints()
            with self.shop.serve(data) as server:
                client = Client(server.port)
                for _ in range(200):
                    endpoints.ask(client, "event post")
                for _ in range(5):
                    endpoints.ask(client, "articles change")
                server.stop()
            self.used = (data, endpoints)
        self.shop.copies += 1
        copy = os.path.join(self.shop.folder, f"data-{self.shop.copies}")
        shutil.copytree(self.used[0], copy)
        return copy, self.used[1]

    @staticmethod
    def file_of(data, name):
        if name not in GENERATION_FILES:
            return os.path.join(data, name)
        with open(os.path.join(data, "CURRENT"), encoding="utf-8") as file:
            return os.path.join(data, "generations", file.read().strip(), name)

    @staticmethod
    def told(started, name):
        """Whether the start names the file: with a warning or an error, but for features, which are made anew out of the log."""
        return any(name in line for line in started.lines if name == "features.db" or '"level":"info"' not in line)

    @staticmethod
    def told_without(data, line):
        """A line of the log, for a page: without the temporary folder's name."""
        return line.strip().replace(data, "DATA")[:240]

    def what_came(self, title, started, endpoints, rows, data):
        if not started.serves:
            code = started.end()
            self.check(f"truncated: {title}: a refusal is an error's exit code", code > 0, f"{code} {started.text()[-400:]}")
            last = [line for line in started.lines if "error" in line] or started.lines[-1:]
            return f"no start: “{self.told_without(data, last[-1]) if last else 'nothing said'}”"
        unpersonal = Expect().less(FEATURES, {"STALE_DATA_ALLOWED"}, sources=FROM_POPULAR)
        wanted = {
            "ready": WRITES_REFUSED["ready"],
            "for-you": unpersonal,
            "trending": unpersonal,
            "event post": Expect(statuses=frozenset({200, 503}), labels=frozenset({None, "unavailable", "internal"})),
            "users": Expect().refused(200, 503, labels={None, "unavailable"}),
        }
        measure = self.measure(endpoints)
        measure.times = measure.times if rows is not None else 2
        found = measure.run(f"truncated: {title}", started.port, wanted)
        if rows is not None:
            rows += found
        clicks = {row.name: row for row in found}["event post"].counts(lambda answer: answer.status)
        return f"serves; clicks are {'taken' if 200 in clicks else 'refused'}"

    def start_on(self, data, name, words):
        started = self.shop.try_serve(data)
        try:
            self.check(f"{name}: says why", words in started.text(), started.text()[-600:])
            if not started.serves:
                return f"A start there is refused: “{self.told_without(data, started.lines[-1])}”"
            answer = self.shop.endpoints().ask(Client(started.port), "event post")
            self.check(f"{name}: clicks are refused", answer.status == 503, answer)
            return f"A start there serves, and refuses clicks (`{answer.label}`)."
        finally:
            started.end()
