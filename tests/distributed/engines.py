"""Engines and gateways that go away under load and come back. See consumers.py for what each scenario must show."""

import threading
import time

from faults import Scenarios
from load import percentile
from stack import wait_for

FEATURES_AWAY = {"REDIS_TIMEOUT", "REDIS_UNAVAILABLE", "PERSONALIZATION_UNAVAILABLE"}
VECTORS_AWAY = {"RETRIEVAL_UNAVAILABLE", "DOWNSTREAM_CIRCUIT_OPEN", "INFERENCE_TIMEOUT", "INFERENCE_UNAVAILABLE"}


class Searches:
    """Searches of one shopper in the background, and what their answers said."""

    def __init__(self, scenarios, pause=0.2):
        self.client = type(scenarios.client)(scenarios.ports[0])
        self.pause, self.ending = pause, threading.Event()
        self.reasons, self.failed, self.whole = {}, [], 0
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self):
        number = 0
        while not self.ending.wait(self.pause):
            number += 1
            try:
                status, answer = self.client.ask("GET", f"/api/recommendation/search?query=warm+jacket+{number}&k=5&userId=searcher")
            except OSError as failure:
                self.failed.append(repr(failure))
                continue
            if status != 200 or not answer["data"]:
                self.failed.append(f"{status} {answer}")
            elif answer["degraded"]:
                reason = answer["degradation_reason"]
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
            else:
                self.whole += 1

    def stop(self):
        self.ending.set()
        self.thread.join(30)


class Engines(Scenarios):
    def brokers_paused(self):
        """All brokers stand still: they answer nothing, and their connections stay."""
        self.brokers_away("brokers_paused", "pause", "continue")

    def brokers_stopped(self):
        self.brokers_away("brokers_stopped", "kill", "restart")

    def brokers_away(self, name, go, come):
        nodes = [str(i + 1) for i in range(len(self.stack.values["kafka"].split(",")))]
        load = self.load(name, rate=self.options.rate, threads=32)
        time.sleep(2)
        for node in nodes:
            self.stack.server("kafka.sh", go, node)
        gone = time.monotonic()
        before = len(load.ledger.acknowledged)
        time.sleep(self.options.away)
        waiting = load.ledger.open
        threads = [threading.Thread(target=self.stack.server, args=("kafka.sh", come, node)) for node in nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        back = time.monotonic()
        drained = wait_for(lambda: load.ledger.open < 2 * self.options.rate, 600, f"{name}: clicks that waited are acknowledged")
        print(f"{name}: away for {back - gone:.0f} s; {waiting} clicks waited then, acknowledged within {drained:.1f} s; "
              f"{len(load.ledger.acknowledged) - before} acknowledged since it went away", flush=True)
        self.recovery(name, "the brokers came back", back)
        self.finish(load, name, 300)
        self.no_dead_letters(name)

    def redis_away(self):
        """Features are not there: clicks are taken, answers say so, nothing is put off or given up."""
        port = self.stack.values["redis"]
        for setting in (("appendonly", "yes"), ("appendfsync", "always")):
            self.stack.redis("CONFIG", "SET", *setting)
        self.stack.redis("CONFIG", "REWRITE")  # what it has is there again when it comes back
        wait_for(lambda: "aof_rewrite_in_progress:0" in self.stack.redis("INFO", "persistence"), 30, "Redis writes its log")
        put_off = self.put_off("consumer-1")
        load = self.load("redis_away", rate=50)
        searches = Searches(self)
        wait_for(lambda: searches.whole > 5, 30, "searches before")
        self.stack.server("redis.sh", "kill", port)
        gone, before = time.monotonic(), len(load.ledger.acknowledged)
        time.sleep(max(30, self.options.away))
        during, away = len(load.ledger.acknowledged) - before, time.monotonic() - gone
        consumer_status, consumer = self.stack.ready("consumer-1")
        gateway_status, gateway = self.stack.ready("gateway-1")
        whole = searches.whole
        self.stack.server("redis.sh", "restart")
        back = time.monotonic()
        whole_again = wait_for(lambda: searches.whole > whole + 3, 60, "searches after")
        self.recovery("redis_away", f"Redis was away for {away:.0f} s", back)
        searches.stop()
        print(f"redis_away: reasons {searches.reasons}; undegraded again after {whole_again:.1f} s", flush=True)
        check = self.failures.check
        check("redis_away: clicks are taken", during > 0.8 * 50 * away, during)
        check("redis_away: no search fails", not searches.failed, searches.failed[:3])
        check("redis_away: answers name it", searches.reasons and set(searches.reasons) <= FEATURES_AWAY, searches.reasons)
        check("redis_away: the consumer stays, and says it", consumer_status == 200 and consumer["checks"]["redis"]["status"] == "error", consumer)
        check("redis_away: the gateway stays ready", gateway_status == 200, gateway)
        self.finish(load, "redis_away")
        check("redis_away: nothing is put off", self.put_off("consumer-1") == put_off, self.put_off("consumer-1"))
        self.no_dead_letters("redis_away")

    def gateway_killed(self):
        load = self.load("gateway_killed", rate=100)
        for _ in range(3):
            time.sleep(0.5 + self.chance.random())
            self.stack.role("kill", "gateway-1")
            killed = time.monotonic()
            self.stack.role("restart", "gateway-1")
        self.recovery("gateway_killed", "it was killed", killed)
        self.finish(load, "gateway_killed")
        self.no_dead_letters("gateway_killed")

    def broker_killed(self):
        """One of three, by turns: two that are in sync are enough."""
        load = self.load("broker_killed", rate=self.options.rate)
        for node in "123":
            time.sleep(2)
            self.stack.server("kafka.sh", "kill", node)
            killed = time.monotonic()
            self.recovery("broker_killed", f"broker {node} was killed", killed)
            self.stack.server("kafka.sh", "restart", node)
            time.sleep(5)  # until it is in sync again, or the next one would be the second
        ledger = self.finish(load, "broker_killed")
        print(f"broker_killed: longest acknowledgement {1000 * percentile(ledger.latencies, 1):.0f} ms", flush=True)
        self.no_dead_letters("broker_killed")

    def master_killed(self):
        """Of a Redis Cluster: its replica takes over with everything that was acknowledged."""
        load = self.load("master_killed", rate=self.options.rate)
        for slot in (0, 8_000, 16_000):
            time.sleep(2)
            self.stack.server("redis.sh", "kill", "master-of-slot", str(slot))
            self.recovery("master_killed", f"the master of slot {slot} was killed", time.monotonic())
            self.stack.server("redis.sh", "restart")
            time.sleep(5)  # its replica follows again
        self.finish(load, "master_killed")
        self.no_dead_letters("master_killed")

    def milvus_killed(self):
        """Lists go on by words, say so, and are whole again when it is back."""
        load = self.load("milvus_killed", rate=50)
        searches = Searches(self)
        wait_for(lambda: searches.whole > 5, 60, "searches before")
        self.stack.server("milvus.sh", "kill")
        time.sleep(self.options.away)
        whole = searches.whole
        self.stack.server("milvus.sh", "restart")
        whole_again = wait_for(lambda: searches.whole > whole + 3, 180, "searches after")
        searches.stop()
        print(f"milvus_killed: reasons {searches.reasons}; undegraded again after {whole_again:.1f} s", flush=True)
        self.failures.check("milvus_killed: no search fails", not searches.failed, searches.failed[:3])
        self.failures.check("milvus_killed: answers name it", searches.reasons and set(searches.reasons) <= VECTORS_AWAY, searches.reasons)
        self.finish(load, "milvus_killed")
        self.no_dead_letters("milvus_killed")


if __name__ == "__main__":
    Engines.main((), ["brokers_paused", "brokers_stopped", "redis_away", "gateway_killed"])
