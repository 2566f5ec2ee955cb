"""Consumers killed, fenced and moved under load, records that cannot take effect, and what is put off for them.

One stack for all scenarios; --only names some of them. After each: acknowledged clicks count once, the features are what the log
gives, and no dead letter is there that need not be. FAULT_SEED chooses the moments (printed).
"""

import base64
import json
import threading
import time

import kafka_record
from faults import Scenarios
from load import Client
from stack import SESSION_TIMEOUT_MS, wait_for

TOPIC = "scalestyle.clicks"
TIERS_SECONDS = 1 + 10 + 60
WRONG = "a list, which no feature is"


class WrongKey:
    """A user whose features are of a type that no script of ours takes, until repair()."""

    def __init__(self, stack, client, user, item):
        self.stack, self.client, self.user, self.item = stack, client, user, item
        client.click(user, item, f"{user}/before")
        wait_for(lambda: client.knows(user, item), 60, f"{user}: the first click")
        self.key = stack.redis_keys(f"*user:{user}")[0]
        self.aside = self.key.replace(user, "aside-" + user)
        stack.redis("RENAME", self.key, self.aside)
        stack.redis("RPUSH", self.key, WRONG)

    def repair(self):
        self.stack.redis("DEL", self.key)
        self.stack.redis("RENAME", self.aside, self.key)


class Consumers(Scenarios):
    def noticed(self):
        """What all others rely on: the audit finds a user whose features are gone, and an event that was never kept."""
        load = self.load("noticed", rate=50, users=5)
        time.sleep(1)
        ledger = load.stop()
        user = min(ledger.of_user())
        wait_for(lambda: self.stack.redis_keys(f"*user:{user}"), 30, "the user's features")
        key = self.stack.redis_keys(f"*user:{user}")[0]
        self.stack.audit(self.failures, "noticed: before", ledger.acknowledged)
        self.stack.redis("RENAME", key, key.replace(user, "aside-" + user))
        found = self.stack.run("events", "audit", "--settle-s", "3")
        self.failures.check("noticed: lost features", found.returncode == 1 and f"u:{user}:" in found.stdout, found.stdout + found.stderr)
        self.stack.redis("RENAME", key.replace(user, "aside-" + user), key)
        unknown = self.stack.run_audit([*ledger.acknowledged, "never sent"], 3)
        self.failures.check("noticed: a lost event", unknown.returncode == 1 and "missing: never sent" in unknown.stdout, unknown.stdout)

    def kills(self):
        load = self.load("kills", rate=100)
        self.kill_consumers()
        self.finish(load, "kills")
        self.no_dead_letters("kills")

    def kill_consumers(self):
        """SIGKILL at random moments, each time started again at once."""
        for _ in range(self.options.kills):
            time.sleep(self.chance.choice([0.1, 0.5, 1.5, 4]) * self.chance.random())
            victim = self.chance.choice(self.stack.roles("consumer"))
            self.stack.role("kill", victim)
            self.stack.role("restart", victim)
        self.recovery("kills", f"the last of {self.options.kills} kills")

    def rebalances(self):
        """A second consumer leaves and joins while batches are under way."""
        load = self.load("rebalances", rate=150)
        for _ in range(self.options.rebalances):
            self.stack.role("end", "consumer-2")
            time.sleep(self.chance.random())
            self.stack.role("restart", "consumer-2")
            time.sleep(1 + self.chance.random())
        self.recovery("rebalances", "the last rebalance")
        self.finish(load, "rebalances")
        self.no_dead_letters("rebalances")

    def fenced(self):
        """A consumer that stood still for longer than its session goes on in the middle of a batch that others did meanwhile."""
        load = self.load("fenced", rate=150)
        time.sleep(1)
        self.stack.role("pause", "consumer-1")
        time.sleep(SESSION_TIMEOUT_MS / 1000 + 3)
        self.stack.role("continue", "consumer-1")
        self.recovery("fenced", "the consumer went on")
        self.finish(load, "fenced")
        self.no_dead_letters("fenced")

    def poisoned(self):
        """Bytes that are no event go to the dead letters as they are; what is behind them goes on."""
        broker = self.stack.values["kafka"]
        bytes_in = b'{"event_id": "poison", \xff\x00\x1b[2J no end'
        offset = kafka_record.write(broker, TOPIC, bytes_in, key=b"poisoned-0")
        load = self.load("poisoned", rate=100)
        letter = self.letter(lambda entry: entry["original"] == f"{TOPIC}:0:{offset}")
        self.expected_letters.add(letter["id"])
        self.failures.check("poisoned: the reason", letter["reason"] == "permanent_failure" and letter["cause"], letter)
        shown = self.stack.run("dlq", "show", letter["id"], "--json")
        kept = base64.b64decode(json.loads(shown.stdout)["original_value_base64"])
        self.failures.check("poisoned: the bytes are kept", kept == bytes_in, kept)
        self.finish(load, "poisoned")
        dropped = self.stack.run("dlq", "drop", letter["id"])
        self.failures.check("poisoned: drop", dropped.returncode == 0, dropped.stderr)
        self.expected_letters.discard(letter["id"])
        self.no_dead_letters("poisoned: dropped")

    def letter(self, wanted, seconds=30):
        found = []

        def look():
            found[:] = [entry for entry in self.stack.dead_letters() if wanted(entry)]
            return bool(found)

        wait_for(look, seconds, "a dead letter")
        return found[0]

    def wrong_type(self):
        """One subject's event fails through all tiers to the dead letters while others are applied; replayed, it counts once."""
        load = self.load("wrong_type", rate=50)
        self.through_all_tiers()
        self.finish(load, "wrong_type")
        self.no_dead_letters("wrong_type")

    def kills_beside_wrong_type(self):
        """Both at once: what waits in tiers is not disturbed by the end of those who put it off."""
        tiers = threading.Thread(target=self.guarded, args=("wrong_type", self.through_all_tiers))
        tiers.start()
        load = self.load("kills", rate=100)
        self.kill_consumers()
        tiers.join()
        self.finish(load, "kills")
        self.no_dead_letters("kills")

    def through_all_tiers(self):
        client = Client(self.ports[0])
        first = WrongKey(self.stack, client, "wrong-1", self.articles[0])
        before = self.put_off("retry")
        began = time.monotonic()
        client.click(first.user, self.articles[1], "wrong-1/stuck")
        wait_for(lambda: self.put_off("retry") >= before + 2, 90, "the event waits in the last tier")
        waits = time.monotonic()
        second = WrongKey(self.stack, client, "wrong-2", self.articles[2])
        client.click(second.user, self.articles[3], "wrong-2/late")
        wait_for(lambda: self.put_off("retry") >= before + 3, 45, "the second event waits in the second tier")
        second.repair()
        passed = wait_for(lambda: client.knows("wrong-2", self.articles[3]), 30, "the second event takes effect")
        print(f"wrong_type: applied {passed:.1f} s after its key was repaired, while another event waited in the last tier", flush=True)
        check = self.failures.check
        check("wrong_type: others do not wait for the last tier", time.monotonic() - waits < 58, time.monotonic() - waits)
        letter = self.letter(lambda entry: entry["id"] == "wrong-1/stuck", 120)
        print(f"wrong_type: a dead letter after {time.monotonic() - began:.1f} s", flush=True)
        check("wrong_type: after all tiers", time.monotonic() - began > TIERS_SECONDS - 2, time.monotonic() - began)
        check("wrong_type: the reason", letter["reason"] == "max_retries_exceeded", letter)
        first.repair()
        for more in (["--keep"], []):  # a second time changes nothing
            replayed = self.stack.run("dlq", "replay", "wrong-1/stuck", *more)
            check("wrong_type: replay", replayed.returncode == 0, replayed.stdout + replayed.stderr)
        wait_for(lambda: client.knows("wrong-1", self.articles[1]), 60, "the replayed event takes effect")
        _, answer = client.ask("GET", "/api/users/wrong-1")
        score = sum(entry["score"] for entry in answer["data"]["affinities"])
        check("wrong_type: each click counts once", 1.99 < score < 2.01, answer["data"]["affinities"])


if __name__ == "__main__":
    Consumers.main(("--consumers", "2"), ["noticed", "poisoned", "kills_beside_wrong_type", "rebalances", "fenced"])
