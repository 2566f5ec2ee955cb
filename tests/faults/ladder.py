"""The whole ladder of a search that cannot be answered, seen live: models stand still (SIGSTOP) under searches by text, picture
and both; kept lists are served stale, unseen searches get what was popular in 24 hours; these hours pass without an event and it is 7
days, these too and it is all time; then the models go on.

Hours pass by the server's clock of the day (shim.c): nothing is taken out of any store.
"""

import threading
import time

import document
from endpoints import SEARCH, Client, encoded_picture, percentile, word
from expect import INFERENCE, LATE
from machine import Shim, paused
from shop import Shop, free_port, harness, parser

HOUR = 3_600
POPULAR_ARTICLES = 15  # a tier answers from ten on
TIER_SECONDS = 20  # until the popular list of a new hour is served
RECOVERY_SECONDS = 15
LEAST_ANSWERS = 3  # of each kind, in each tier
SETTINGS = ("--picture-cache-mb", "0")  # a picture that was seen before is a question for the models again
# What each search is when nothing of it was asked before. "words": its text finds articles by words alone.
KINDS = ("text", "image", "hybrid", "text with words", "hybrid with words")


def request(kind, number, thing):
    nowhere = f"{word(number)} {word(number + 7_777)}"  # words of no article: only their meaning could find some
    text = f"{thing} {word(number)}" if kind.endswith("words") else nowhere
    if kind.startswith("text"):
        return "GET", f"{SEARCH}?query={text.replace(' ', '+')}&k=5&rerank=false", None
    if kind == "image":
        return (
            "POST",
            f"{SEARCH}/image",
            {"mode": "image_to_image", "image_base64": encoded_picture(number), "k": 5, "rerank": False},
        )
    return "POST", f"{SEARCH}/hybrid", {"query": text, "image_base64": encoded_picture(number), "k": 5, "rerank": False}


class Searching:
    """One kind of search, again and again, never the same; what came is told by when it came."""

    def __init__(self, kind, port, thing, pause):
        self.kind, self.thing, self.pause = kind, thing, pause
        self.client, self.seen, self.ending = Client(port), [], threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 100_000 * (1 + KINDS.index(self.kind))
        while not self.ending.wait(self.pause):
            number += 1
            asked = time.monotonic()
            answer = self.client.ask(*request(self.kind, number, self.thing))
            self.seen.append((asked, answer))

    def since(self, moment):
        return [answer for asked, answer in self.seen if asked >= moment]

    def stop(self):
        self.ending.set()
        self.thread.join(20)


class Ladder:
    def __init__(self, shop, failures, options):
        self.shop, self.failures, self.options = shop, failures, options
        self.hold = 1.0 if options.brief else 5.0  # seconds that a tier is looked at
        self.slack = 10 if options.brief else 1
        self.rows = []

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:600])

    def run(self):
        shim, port, data = Shim(self.shop.folder), free_port(), self.shop.data()
        with self.shop.inference(port) as role, self.shop.serve(
            data, "--inference-url", f"http://127.0.0.1:{port}", *SETTINGS, before=shim.environment(data)
        ) as server:
            client = Client(server.port)
            for number in range(POPULAR_ARTICLES):
                article = self.shop.articles[number]
                answer = client.ask(
                    "POST", "/api/events/click", {"user_id": f"shopper-{number}", "item_id": article, "source": "search"}
                )
                self.check("a click", answer.status == 200, answer)
            self.wait("everything whole", lambda: all(self.ask_kept(client, kind).label is None for kind in KINDS), 30)
            searches = [Searching(kind, server.port, self.shop.things[0], 0.1) for kind in KINDS]
            self.tier("whole", searches, dict.fromkeys(KINDS, (None, {None})))
            with paused(role.process):
                self.kept_lists(client)
                self.popular(searches, shim)
            back = self.recovery(searches)
            shim.clear()
            for search in searches:
                search.stop()
            worst = self.never_failed(searches)
            self.check("the server stays", server.alive() and server.stop()[0] == 0)
            self.notes = [
                f"Whole again {back:.1f} s after SIGCONT.",
                f"{sum(len(one.seen) for one in searches)} searches in all, none failed or "
                f"was empty; the longest took {worst:.0f} ms.",
            ]
        for note in self.notes:
            print(note)

    def wait(self, what, done, seconds):
        began = time.monotonic()
        while not done():
            if time.monotonic() - began > seconds:
                self.check(f"{what} within {seconds} s", False)
                break
            time.sleep(0.05)
        return time.monotonic() - began

    def ask_kept(self, client, kind):
        """Always the same search of its kind."""
        return client.ask(*request(kind, 50 + KINDS.index(kind), self.shop.things[0]))

    def kept_lists(self, client):
        """Of searches that were asked before: as they are; after a change of the catalogue, marked stale."""
        for kind in KINDS:
            answer = self.ask_kept(client, kind)
            self.check(f"kept: {kind}: as it is", answer.status == 200 and answer.label is None, answer)
        answer = client.ask("PATCH", f"/api/articles/{self.shop.articles[0]}", {"price": 12.5})
        self.check("a change", answer.status == 200, answer)
        time.sleep(1)  # an older list goes for a current one for half a second
        counts = {}
        for kind in KINDS:
            answer = self.ask_kept(client, kind)
            if kind.endswith("words"):  # words come before a stale list
                self.check(
                    f"stale: {kind}: by words", answer.items > 0 and answer.source is None and answer.label is not None, answer
                )
            else:
                self.check(f"stale: {kind}", (answer.source, answer.label) == ("cached", "STALE_DATA_ALLOWED"), answer)
                self.check(f"stale: {kind}: something is served", answer.items > 0, answer)
            counts[kind] = f"{answer.source or 'words'}, `{answer.label}`"
        self.rows.append(("asked before, models stand still", *[counts[kind] for kind in KINDS]))
        print("kept lists:", counts)

    def popular(self, searches, shim):
        sides = {"HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY"}
        for hours, source in ((0, "popular_24h"), (25, "popular_7d"), (8 * 24, "global_popular")):
            shim.set(clock_offset_s=hours * HOUR)
            expected = {kind: (source, INFERENCE) for kind in KINDS}
            expected["text with words"] = (None, INFERENCE)
            expected["hybrid with words"] = (None, INFERENCE | sides)
            self.tier(source, searches, expected)

    def tier(self, name, searches, expected):
        """Until every kind is served from there; then only from there."""

        def there():
            last = [search.seen[-1][1] if search.seen else None for search in searches]
            return all(
                answer is not None and answer.source == expected[search.kind][0] and answer.label in expected[search.kind][1]
                for search, answer in zip(searches, last)
            )

        waited = self.wait(f"{name} is served", there, TIER_SECONDS)
        since = time.monotonic()
        time.sleep(self.hold)
        self.wait(
            f"{name}: answers of each kind", lambda: all(len(one.since(since)) >= LEAST_ANSWERS for one in searches), TIER_SECONDS
        )
        cells = []
        for search in searches:
            source, labels = expected[search.kind]
            labels = labels | (LATE if self.slack > 1 and None in labels else set())  # a busy machine's
            answers = search.since(since)
            wrong = [answer for answer in answers if answer.source != source or answer.label not in labels]
            self.check(f"{name}: {search.kind}", answers and not wrong, f"{len(wrong)} of {len(answers)}: {wrong[:1]}")
            told = sorted({f"`{answer.label}`" for answer in answers if answer.label})
            p99 = 1000 * percentile([answer.seconds for answer in answers], 0.99)
            cells.append(f"{source or ('words' if None not in labels else 'whole')}, {' '.join([*told, ''])}{p99:.0f} ms")
        print(
            f"{name}: seen after {waited:.1f} s; " + "; ".join(f"{search.kind}: {cell}" for search, cell in zip(searches, cells)),
            flush=True,
        )
        self.rows.append((name, *cells))

    def recovery(self, searches):
        since = time.monotonic()

        def whole():
            last = [search.since(since)[-1:] for search in searches]
            return all(one and one[0].status == 200 and one[0].label is None for one in last)

        seconds = self.wait("whole again", whole, RECOVERY_SECONDS * self.slack)
        self.tier("whole again", searches, dict.fromkeys(KINDS, (None, {None})))
        return seconds

    def never_failed(self, searches):
        for search in searches:
            wrong = [answer for _, answer in search.seen if answer.status != 200 or answer.items == 0]
            self.check(f"{search.kind}: never fails, never empty", not wrong, f"{len(wrong)} of {len(search.seen)}: {wrong[:1]}")
        return 1000 * max(answer.seconds for search in searches for _, answer in search.seen)

    def part(self):
        header = ("what stands still", *KINDS)
        return (
            "Each cell: where the items came from, the label, and the p99 of its searches while the tier was looked at.\n\n"
            + document.table(header, self.rows)
            + "\n"
            + "".join(f"- {note}\n" for note in self.notes)
            + "\n"
        )


def main():
    options = parser(description=__doc__).parse_args()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        ladder = Ladder(Shop(options.program, folder, products=12 if options.brief else 40), failures, options)
        ladder.run()
    if options.write_docs:
        document.write("ladder", ladder.part())
    failures.finish()


if __name__ == "__main__":
    main()
