"""`scalestyle serve` under a load of events, killed with SIGKILL at random moments and started again.

Every acknowledged event must be kept once, users' features must follow from exactly those events, and nothing of a
forgotten user may stay in any file. CRASH_SEED chooses the run (printed), --kills how often it dies.
"""

import argparse
import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "end_to_end"))
import catalogue  # noqa: E402
import harness  # noqa: E402

WEIGHTS = {"click": 1.0, "view": 0.3, "add_to_cart": 3.0, "purchase": 5.0}
HALF_LIFE_MS = 7 * 86_400_000
PATIENCE_SECONDS = 60


class Running:
    """The server that is up now, or none; shared by the shoppers and the one who kills."""

    def __init__(self, program, data):
        self.program, self.data = program, data
        self.changed = threading.Condition()
        self.server = None

    def start(self):
        server = harness.Server(self.program, self.data)
        with self.changed:
            self.server = server
            self.changed.notify_all()

    def kill(self):
        with self.changed:
            server, self.server = self.server, None
        server.kill()

    def port(self):
        with self.changed:
            if not self.changed.wait_for(lambda: self.server is not None, PATIENCE_SECONDS):
                raise RuntimeError("no server")
            return self.server.port


class Shopper(threading.Thread):
    """Sends events of users of its own, each request again and again until it is answered."""

    def __init__(self, number, seed, running, articles):
        super().__init__(daemon=True)
        self.number, self.running, self.articles = number, running, articles
        self.random = random.Random(seed * 100 + number)
        self.users = [self.new_user(i) for i in range(4)]
        self.made = 0
        self.kept = {}       # event id → (user, type, item, token)
        self.forgotten = []
        self.ending = threading.Event()
        self.problem = None
        self.connection = None

    def new_user(self, i):
        return f"shopper-{self.number}-{i}-{self.random.getrandbits(40):010x}"

    def exchange(self, method, path, body=None):
        """Until it is answered with 200; an unknown outcome is tried again with the same ids."""
        while True:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.running.port(), timeout=10)
                self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                document = json.loads(answer.read())
                if answer.status == 200:
                    return document
                if answer.status not in (429, 503):
                    raise RuntimeError(f"{method} {path}: {answer.status} {document}")
                time.sleep(0.01)
            except (OSError, http.client.HTTPException, ValueError):
                self.connection = None
                time.sleep(0.005)

    def event(self):
        user, item = self.random.choice(self.users), self.random.choice(self.articles)
        kind = self.random.choice(["click"] * 5 + list(WEIGHTS))
        self.made += 1
        return {"event_type": kind, "user_id": user, "item_id": item, "event_id": f"{user}/{self.made}", "query": f"wish of {user}"}

    def keep(self, event, token):
        known = self.kept.setdefault(event["event_id"], (event["user_id"], event["event_type"], event["item_id"], token))
        if known[3] != token:
            self.problem = f"{event['event_id']} was acknowledged as {known[3]} and as {token}"

    def step(self):
        choice = self.random.random()
        if choice < 0.5:
            event = {**self.event(), "event_type": "click", "source": "search"}
            body = {name: value for name, value in event.items() if name != "event_type"}
            self.keep(event, self.exchange("POST", "/api/events/click", body)["token"])
        elif choice < 0.98:
            events = [self.event() for _ in range(self.random.randint(2, 30))]
            events.append(self.random.choice(events))
            results = self.exchange("POST", "/api/events", {"events": events})["results"]
            for event, result in zip(events, results):
                self.keep(event, result["token"])
        else:
            place = self.random.randrange(len(self.users))
            user, self.users[place] = self.users[place], self.new_user(place)
            self.made += 1
            self.exchange("DELETE", f"/api/users/{user}?event_id=forget/{self.number}/{self.made}")
            self.forgotten.append(user)

    def run(self):
        try:
            while not self.ending.is_set() and self.problem is None:
                self.step()
        except Exception as failure:  # a thread's failure is the test's
            self.problem = repr(failure)


def check_users(shoppers, failures):
    for shopper in shoppers:
        for user in shopper.users:
            kept = {event_id: entry for event_id, entry in shopper.kept.items() if entry[0] == user}
            events, cursor = [], ""
            while True:
                data = shopper.exchange("GET", f"/api/users/{user}{cursor}")["data"]
                events += data["events"]
                if "next_cursor" not in data:
                    break
                cursor = "?cursor=" + data["next_cursor"]
            failures.check(f"{user}: events", sorted(e["event_id"] for e in events) == sorted(kept), f"{len(events)}, {len(kept)} acknowledged")
            sums, recent = {}, {}
            for event in events:
                category, time_ms = event.get("category"), event["event_time_ms"]
                value = WEIGHTS[event["event_type"]] * 2 ** (-(data["as_of_ms"] - time_ms) / HALF_LIFE_MS)
                if category:
                    sums[category] = sums.get(category, 0) + value
                key = (event["item_id"], event["event_type"])
                recent[key] = max(recent.get(key, 0), time_ms)
            scores = {entry["category"]: entry["score"] for entry in data["affinities"]}
            failures.check(f"{user}: categories", scores.keys() == sums.keys(), f"{scores.keys()} {sums.keys()}")
            for category, wanted in sums.items():
                failures.check(f"{user}: {category}", abs(scores.get(category, 0) - wanted) <= 1e-6 * wanted, f"{scores.get(category)} is not {wanted}")
            newest = sorted(recent.items(), key=lambda entry: (-entry[1], entry[0][0]))[:100]
            found = {(item["item_id"], item["event_type"]): item["time_ms"] for item in data["recent_items"]}
            failures.check(f"{user}: recent items", all(found.get(key) == at for key, at in newest[:50]) and len(found) == len(newest), len(found))


def search_bytes(data, forgotten, failures):
    texts = [user.encode() for user in forgotten]
    for root, _, names in os.walk(data):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                content = file.read()
            if b"shopper-" not in content:
                continue
            left = [text for text in texts if text in content]
            failures.check(f"nothing of forgotten users in {name}", not left, left)


def check_log(program, data, shoppers, folder, failures):
    exported = os.path.join(folder, "exported.jsonl")
    answer = harness.run(program, "events", "export", "--data", data, "--out", exported)
    failures.check("export", answer.returncode == 0, answer.stderr)
    with open(exported, encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    found = [event["event_id"] for event in events if event.get("user_id")]
    forgotten = {user for shopper in shoppers for user in shopper.forgotten}
    wanted = {event_id for shopper in shoppers for event_id, entry in shopper.kept.items() if entry[0] not in forgotten}
    failures.check("no event is kept twice", len(found) == len(set(found)), len(found) - len(set(found)))
    failures.check("no acknowledged event is lost", wanted <= set(found), sorted(wanted - set(found))[:5])
    failures.check("nothing else is kept", set(found) <= wanted, sorted(set(found) - wanted)[:5])
    for command in ("verify", "rebuild"):
        answer = harness.run(program, "events", command, "--data", data)
        failures.check(command, answer.returncode == 0, answer.stdout + answer.stderr)
    return len(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--kills", type=int, default=4)
    options = parser.parse_args()
    harness.need_model()
    seed = int(os.environ.get("CRASH_SEED", "1"))
    print(f"CRASH_SEED={seed}", flush=True)
    failures = harness.Failures()
    chance = random.Random(seed)
    with harness.temporary_folder() as folder:
        data, table = catalogue.ingest_sample(options.program, folder, failures, products=40)
        with open(table, encoding="utf-8") as file:
            file.readline()
            articles = [line.split(",", 1)[0] for line in file if line[:10].isdigit()][:30]
        running = Running(options.program, data)
        shoppers = [Shopper(i, seed, running, articles) for i in range(4)]
        running.start()
        for shopper in shoppers:
            shopper.start()
        for _ in range(options.kills):
            time.sleep(chance.choice([0.05, 0.2, 0.5, 1.0]) * chance.random())
            running.kill()
            running.start()
        time.sleep(0.3)
        for shopper in shoppers:
            shopper.ending.set()
        for shopper in shoppers:
            shopper.join(PATIENCE_SECONDS)
            failures.check("the shopper has ended", not shopper.is_alive())
            failures.check("every answer was as it should be", shopper.problem is None, shopper.problem)
        check_users(shoppers, failures)
        forgotten = [user for shopper in shoppers for user in shopper.forgotten]
        for user in forgotten:  # what a kill left unfinished is finished by now
            answer = shoppers[0].exchange("DELETE", f"/api/users/{user}?event_id=again/{user}")
            failures.check(f"{user} is erased", answer["erasure"] == "erased", answer)
        search_bytes(data, forgotten, failures)
        code, _ = running.server.stop()
        failures.check("SIGTERM ends with 0", code == 0, code)
        kept = check_log(options.program, data, shoppers, folder, failures)
        print(f"{options.kills} kills, {kept} events, {len(forgotten)} users forgotten", flush=True)
    failures.finish()


main()
