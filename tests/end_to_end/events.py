"""Events outlive the process: kill −9 and restart, a second server refused, and the `events` commands on what was kept."""

import argparse
import json
import os
import shutil

import catalogue
import harness

QUERY = "/api/recommendation/search?query=summer+dress&k=20"
WEIGHTS = {"click": 1.0, "view": 0.3, "add_to_cart": 3.0, "purchase": 5.0}


def listed(document):
    """What a shopper sees of a list: articles in order, with what was added to each."""
    return [(item["article_id"], item["rank"], item.get("reason")) for item in document["data"]]


class Scenario:
    def __init__(self, program, folder, failures):
        self.program, self.folder, self.failures = program, folder, failures
        self.data, _ = catalogue.ingest_sample(program, folder, failures)
        self.server = None
        self.token = None
        self.articles = []
        self.events = 0

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:600])

    def start(self):
        self.server = harness.Server(self.program, self.data)

    def ask(self, path, method="GET", body=None):
        status, document = self.server.ask(path, method, body)
        self.check(f"{method} {path}", status == 200, document)
        return document

    def tool(self, name, code, *arguments):
        answer = harness.run(self.program, "events", *arguments)
        self.check(f"{name}: exit code", answer.returncode == code, f"{answer.returncode}\n{answer.stdout}{answer.stderr}")
        return answer.stdout + answer.stderr

    def nothing_yet(self):
        document = self.ask("/api/recommendation/trending?window=1h&k=5")
        self.check("trending falls back to what was bought before", document.get("fallback_source") == "global_popular", document)
        self.check("which is no degradation of trending", document["degraded"] is False, document)
        self.check("and is not empty", len(document["data"]) == 5, document)
        self.articles = [item["article_id"] for item in self.ask(QUERY)["data"]]

    def act(self):
        clicks = [{"event_type": kind, "user_id": f"user-{i % 7}", "item_id": self.articles[(i * i) % 20], "event_id": f"event-{i}"}
                  for i, kind in enumerate(list(WEIGHTS) * 30)]
        for begin in range(0, len(clicks), 40):
            results = self.ask("/api/events", "POST", {"events": clicks[begin:begin + 40]})["results"]
            self.token = results[-1]["token"]
        self.ask("/api/users/user-6/merge", "POST", {"session_id": "no-such-session"})
        self.token = self.ask("/api/users/user-5/preferences", "POST", {"personalize": False})["token"]
        self.events = len(clicks) + 2

    def answers(self):
        """Of every user, with features up to the last event."""
        return {user: listed(self.ask(f"{QUERY}&userId=user-{user}&after={self.token}")) for user in range(8)}

    def survive_a_kill(self):
        before = self.answers()
        self.check("users differ", len({str(answer) for answer in before.values()}) > 2, before)
        users = {user: self.ask(f"/api/users/user-{user}")["data"] for user in range(8)}
        for _ in range(2):  # the second time from the checkpoint that the first restart may have made
            self.server.kill()
            self.start()
            self.check("the same answers after kill -9", self.answers() == before)
            for user, kept in users.items():
                now = self.ask(f"/api/users/user-{user}")["data"]
                for field in ("events", "recent_items", "personalize", "sessions"):
                    self.check(f"user-{user}: {field} after kill -9", now[field] == kept[field], f"{now[field]} {kept[field]}")
                self.check(f"user-{user}: categories", [a["category"] for a in now["affinities"]] == [a["category"] for a in kept["affinities"]])
        again = self.ask("/api/events", "POST", {"events": [{"event_type": "click", "user_id": "user-0", "item_id": self.articles[0], "event_id": "event-0"}]})
        self.check("an event is known after restarts", again["results"][0]["duplicate"] is True, again)

    def refuse_a_second(self):
        second = harness.run(self.program, "serve", "--data", self.data, "--port", "0")
        self.check("a second server is refused", second.returncode != 0, second.returncode)
        self.check("and told why", "events.lock" in second.stderr, second.stderr)
        self.tool("replacing features beside a server", 1, "rebuild", "--data", self.data, "--replace")

    def use_the_tools(self):
        exported = os.path.join(self.folder, "exported.jsonl")
        self.tool("export beside a server", 0, "export", "--data", self.data, "--out", exported)
        with open(exported, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        self.check("every event is exported once", len({e["event_id"] for e in events}) == len(events) == self.events, len(events))
        code, _ = self.server.stop()
        self.check("SIGTERM ends with 0", code == 0, code)
        self.tool("verify", 0, "verify", "--data", self.data)
        self.tool("rebuild equals the live state", 0, "rebuild", "--data", self.data)
        self.start()
        before = self.answers()
        self.server.stop()

        # Into an empty folder with the same catalogue: the same users, the same answers.
        other = os.path.join(self.folder, "other")
        shutil.copytree(self.data, other, ignore=lambda _, names: [n for n in names if n.startswith(("events.", "features.", "impressions."))])
        self.tool("import", 0, "import", "--data", other, "--in", exported)
        self.tool("import again", 0, "import", "--data", other, "--in", exported)
        self.data = other
        self.start()
        found = {user: listed(self.ask(f"{QUERY}&userId=user-{user}")) for user in range(8)}
        self.check("imported events give the same answers", found == before, f"{found}\n{before}")
        self.server.stop()
        again = os.path.join(self.folder, "again.jsonl")
        self.tool("export of the import", 0, "export", "--data", other, "--out", again)
        with open(exported, "rb") as left, open(again, "rb") as right:
            self.check("export, import, export: the same bytes", left.read() == right.read())
        bad = os.path.join(self.folder, "bad.jsonl")
        with open(bad, "w", encoding="utf-8") as file:
            file.write('{"event_id":"x"}\n')
        output = self.tool("import of what is no event", 1, "import", "--data", other, "--in", bad)
        self.check("names the line", "bad.jsonl" in output and "1" in output, output)

    def damage(self):
        path = os.path.join(self.data, "events.db")
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.seek(size // 2)
            file.write(b"\xa5" * 4096)
        output = self.tool("verify of a damaged log", 1, "verify", "--data", self.data)
        self.check("says so", output.strip() != "", output)

    def serve_without_a_log(self):
        """Nothing of the log can be read: shoppers are answered all the same, and nobody is told that a click was kept."""
        with open(os.path.join(self.data, "events.db"), "r+b") as file:
            file.write(b"\xa5" * 4096)
        self.start()
        found = self.ask(QUERY + "&userId=user-1")
        self.check("a list that is not personalised says so", found["degradation_reason"] == "PERSONALIZATION_UNAVAILABLE", found)
        self.check("and is there", len(found["data"]) == 20 and not found["personalized"], found)
        self.check("an anonymous list is whole", self.ask(QUERY)["degraded"] is False)
        popular = self.ask("/api/recommendation/trending?k=5")
        self.check("popular articles come from purchases", popular["fallback_source"] == "global_popular" and len(popular["data"]) == 5, popular)
        click = {"user_id": "user-1", "item_id": self.articles[0], "source": "search"}
        status, refused = self.server.ask("/api/events/click", "POST", click)
        self.check("a click is refused", status == 503 and refused["error"]["outcome"] == "not_kept", refused)
        status, refused = self.server.ask("/api/users/user-1")
        self.check("an export is refused, not empty", status == 503, refused)
        self.server.stop()

    def forget_leaves_no_byte(self):
        """Before the tools, on the running server."""
        for i in range(5):
            self.ask("/api/events/click", "POST", {"user_id": "zoe-to-forget", "session_id": "visit-of-zoe", "item_id": self.articles[i],
                                                   "source": "search", "query": "something for zoe"})
        self.ask(QUERY + "&userId=zoe-to-forget")
        answer = self.ask("/api/users/zoe-to-forget", "DELETE")
        self.check("erased within the request", answer["erasure"] == "erased", answer)
        self.events += 6
        for name in os.listdir(self.data):
            path = os.path.join(self.data, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            for secret in (b"zoe-to-forget", b"visit-of-zoe", b"something for zoe"):
                self.check(f"{secret.decode()} is nowhere in {name}", secret not in content)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        scenario = Scenario(program, folder, failures)
        scenario.start()
        try:
            scenario.nothing_yet()
            scenario.act()
            scenario.survive_a_kill()
            scenario.refuse_a_second()
            scenario.forget_leaves_no_byte()
            scenario.use_the_tools()
            scenario.damage()
            scenario.serve_without_a_log()
        finally:
            if scenario.server.process.poll() is None:
                scenario.server.kill()
    failures.finish()


main()
