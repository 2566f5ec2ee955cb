"""What the programs of fault tests share: options, the run of scenarios one after the other, and the time to recovery."""

import argparse
import os
import random
import time
import traceback
import uuid

from load import Client, Load, check_scores
from stack import Stack, harness, wait_for


class Scenarios:
    """A subclass has a method a scenario. What the end of one must show: finish() and no_dead_letters()."""

    def __init__(self, stack, failures, options):
        self.stack, self.failures, self.options = stack, failures, options
        self.chance = random.Random(options.seed)
        self.articles = stack.articles()[:60]
        self.ports = [stack.port(gateway) for gateway in stack.roles("gateway")]
        self.client = Client(self.ports[0])
        self.expected_letters = set()

    @classmethod
    def main(cls, arguments, names):
        parser = argparse.ArgumentParser()
        parser.add_argument("--program", required=True)
        parser.add_argument("--stack", default=" ".join(arguments), help="arguments of stack.sh start")
        parser.add_argument("--only", default=",".join(names), help="scenarios, separated by commas: " + ", ".join(names))
        parser.add_argument("--kills", type=int, default=20)
        parser.add_argument("--rebalances", type=int, default=4)
        parser.add_argument("--away", type=float, default=20, help="seconds that an engine is away")
        parser.add_argument("--rate", type=float, default=100, help="clicks a second while brokers are away")
        parser.add_argument("--logs", help="folder that keeps the roles' logs")
        options = parser.parse_args()
        options.seed = int(os.environ.get("FAULT_SEED", "1"))
        print(f"FAULT_SEED={options.seed}", flush=True)
        failures = harness.Failures()
        began = time.monotonic()
        with Stack(options.program, *options.stack.split()) as stack:
            print(f"the stack was ready after {time.monotonic() - began:.1f} s", flush=True)
            scenarios = cls(stack, failures, options)
            try:
                for name in options.only.split(","):
                    scenarios.run(name)
            finally:
                if options.logs:
                    stack.keep_logs(options.logs)
                if failures.count:
                    stack.show_logs()
        failures.finish()

    def run(self, name):
        began = time.monotonic()
        self.guarded(name, getattr(self, name))
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)

    def guarded(self, name, scenario):
        try:
            scenario()
        except Exception:  # the others are of interest all the same
            self.failures.check(name, False, traceback.format_exc())

    def load(self, name, **settings):
        return Load(name, self.ports, self.articles, **settings).start()

    def recovery(self, name, since, began=None, seconds=120):
        """Until clicks made now are acknowledged and have taken effect, whatever partitions they go to; prints the seconds."""
        began = began or time.monotonic()
        probes = [f"probe-{uuid.uuid4().hex[:12]}" for _ in range(24)]
        for probe in probes:
            self.client.click(probe, self.articles[0], f"{probe}/1")
        acknowledged = time.monotonic() - began
        for probe in probes:
            wait_for(lambda probe=probe: self.client.knows(probe, self.articles[0]), seconds, f"{name}: {probe}'s click")
        print(f"{name}: recovery after {since}: clicks acknowledged after {acknowledged:.1f} s, in effect after "
              f"{time.monotonic() - began:.1f} s", flush=True)

    def finish(self, load, name, seconds=120):
        """The load ends, consumers catch up, and everything is compared."""
        ledger = load.stop(seconds)
        self.failures.check(f"{name}: answers", not ledger.problems, ledger.problems[:3])
        wait_for(lambda: self.stack.lag() == 0, 90, f"{name}: no lag")
        print(f"{name}: {len(ledger.acknowledged)} clicks acknowledged, answers {ledger.answers}", flush=True)
        self.stack.audit(self.failures, name, ledger.acknowledged)
        check_scores(self.client, ledger, self.failures, name)
        return ledger

    def no_dead_letters(self, name):
        letters = [letter for letter in self.stack.dead_letters() if letter["id"] not in self.expected_letters]
        self.failures.check(f"{name}: no dead letters", not letters, letters[:3])

    def put_off(self, role):
        """How many events a consumer has put off since it was started."""
        return self.stack.metric(role, "scalestyle_consumer_put_off_events_total")
