"""What is known of shoppers is kept in Redis, and Redis is slow, or gone."""

import os
import subprocess
import tempfile
import time
from contextlib import contextmanager

from endpoints import SEARCH, SHOPPERS, Client
from expect import FEATURES, FROM_POPULAR, WHOLE, Case, Expect
from machine import Relay
from shop import SERVERS, harness

CANNOT_BE_HAD = 3
COMMAND_DELAY_S = 0.05
# A list never waits for what is known of a shopper longer than this, and is whole but for that.
SNAPSHOT_MS = 20
READ_MS = 2_000  # a page that is nothing but what Redis holds waits for it


class RedisFaults:
    @contextmanager
    def _redis(self):
        """A server's folder and port, gone with the block."""
        folder = tempfile.mkdtemp(prefix="redis-", dir=self.shop.folder)
        script = os.path.join(SERVERS, "redis.sh")
        started = subprocess.run([script, "start", folder, "plain"], capture_output=True, text=True, timeout=60, check=False)
        if started.returncode == CANNOT_BE_HAD:
            harness.skip(started.stderr)
        if started.returncode != 0:
            raise RuntimeError(started.stderr)
        try:
            yield folder, int(dict(line.split("=", 1) for line in started.stdout.splitlines())["port"])
        finally:
            subprocess.run([script, "stop", folder], check=False, capture_output=True, timeout=60)

    def _over_redis(self, port):
        return ["--feature-store", "redis", "--redis-nodes", f"127.0.0.1:{port}"]

    @staticmethod
    def _features_away(statuses, users_ms):
        quick = {name: Expect(sources=WHOLE[name].sources, p99_ms=WHOLE[name].p99_ms) for name in WHOLE}
        quick["for-you"] = Expect(p99_ms=SNAPSHOT_MS + 100).less(FEATURES, {"STALE_DATA_ALLOWED"}, sources=FROM_POPULAR)
        quick["trending"] = Expect().less(FEATURES, {"STALE_DATA_ALLOWED"}, sources=FROM_POPULAR)
        quick["users"] = Expect().refused(
            *statuses, labels={None, "unavailable", "deadline_exceeded", *FEATURES}, p99_ms=users_ms
        )
        return quick

    def redis_slow(self):
        """Every command takes 50 ms more."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self._redis() as (_, port):
            relay = Relay(port)
            with self.shop.serve(data, *self._over_redis(relay.port)) as server:
                self.popularity_read(server.port)
                self.warm(endpoints, server.port)
                relay.delay_s = COMMAND_DELAY_S
                rows = self.measure(endpoints).run("redis_slow", server.port, self._features_away((200, 503), READ_MS))
                personal = self._personal_searches("redis_slow", server.port)
                relay.delay_s = 0.0
                back = self._in_effect("redis_slow", endpoints, server.port)
                self._end(
                    Case("redis_slow", data, endpoints, server), "each command of Redis takes 50 ms more", rows, [personal, back]
                )
            relay.close()

    def redis_refused(self):
        """Redis ends, and its port with it; then it is there again, as empty as it was saved."""
        data, endpoints = self.shop.data(), self.shop.endpoints()
        with self._redis() as (_, port):
            relay = Relay(port)
            with self.shop.serve(data, *self._over_redis(relay.port)) as server:
                self.popularity_read(server.port)
                self.warm(endpoints, server.port)
                relay.close()
                rows = self.measure(endpoints).run("redis_refused", server.port, self._features_away((200, 503), READ_MS))
                personal = self._personal_searches("redis_refused", server.port)
                again = Relay(port, listen=relay.port)
                back = self._in_effect("redis_refused", endpoints, server.port)
                self._end(
                    Case("redis_refused", data, endpoints, server), "connections to Redis are refused", rows, [personal, back]
                )
            again.close()

    @staticmethod
    def popularity_read(port):
        """What is popular is read from Redis soon after the start; until then lists say that theirs is older."""
        client = Client(port)
        harness.wait_until(lambda: client.ask("GET", "/api/recommendation/trending?k=5").label is None, 30)

    def _personal_searches(self, name, port):
        """Searches of a shopper: whole lists that name what is missing."""
        client, answers = Client(port), []
        for number in range(5 * self.times):
            thing = self.shop.things[number % len(self.shop.things)]
            answers.append(client.ask("GET", f"{SEARCH}?query={thing}&k=5&userId=shopper-{number % SHOPPERS}&rerank=false"))
        reasons = {}
        for answer in answers:
            self.check(f"{name}: a shopper's search", answer.status == 200 and answer.items > 0, answer)
            reasons[answer.label] = reasons.get(answer.label, 0) + 1
        self.check(f"{name}: a shopper's search names what is missing", set(reasons) <= FEATURES, reasons)
        worst = 1000 * max(answer.seconds for answer in answers)
        self.check(f"{name}: a shopper's search does not wait", worst < (SNAPSHOT_MS + 100) * self.slack, f"{worst:.0f} ms")
        told = ", ".join(f"`{reason}` ×{count}" for reason, count in reasons.items())
        return f"{len(answers)} searches of shoppers: {told}; the longest {worst:.0f} ms."

    def _in_effect(self, name, endpoints, port):
        """Every click that was acknowledged meanwhile is in what is known of its shopper."""
        client, began = Client(port), time.monotonic()
        shoppers = {
            f"shopper-{int(event.split('-')[1]) % SHOPPERS}": item for event, item in endpoints.acknowledged.items()
        }  # each one's last

        def done():
            for shopper, item in shoppers.items():
                answer = client.ask("GET", f"/api/users/{shopper}")
                recent = answer.body.get("data", {}).get("recent_items", []) if answer.status == 200 else []
                if item not in [one["item_id"] for one in recent]:
                    return False
            return True

        try:
            harness.wait_until(done, 60)
        except RuntimeError:
            self.check(f"{name}: acknowledged clicks take effect", False, shoppers)
        return f"Each shopper's last acknowledged click in effect {time.monotonic() - began:.1f} s after it was back."

    def _end(self, case, what, rows, notes):
        """As finish(), of features that are not in the data folder."""
        self.stop(case)
        kept, acknowledged = self.shop.exported(case.data) or {}, case.endpoints.acknowledged
        lost = sorted(set(acknowledged) - set(kept))
        self.check(f"{case.name}: nothing acknowledged was lost", not lost, lost[:5])
        self.record(case.name, what, rows, [*notes, f"{len(acknowledged)} acknowledged clicks, all kept."])
