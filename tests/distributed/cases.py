"""The cases of the end-to-end tests (tests/end_to_end/cases), asked of a gateway over other engines; and the traces of a search and a
click through all processes.

What a log in Kafka answers otherwise (repetitions, a subject's history) is left out: the cases' "embedded".
"""

import argparse
import json
import os
import sys

import stack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import collector as collectors  # noqa: E402
import harness  # noqa: E402
import run_cases  # noqa: E402


class Gateway:
    """As harness.Server, of a process that the stack started."""

    request = harness.Server.request
    ask = harness.Server.ask

    def __init__(self, port):
        self.port = port


def send(gateway, path, number, body=None):
    headers = {"traceparent": f"00-{number:032x}-b7ad6b7169203331-01", "Content-Type": "application/json"}
    return gateway.request(path, "GET" if body is None else "POST", headers, None if body is None else json.dumps(body).encode())


def check_traces(gateway, collector, failures):
    """One trace through gateway, inference, Redis, Kafka and consumer."""
    article = json.loads(send(gateway, "/api/recommendation/search?query=never+asked+before&k=5&userId=traced", 1)[2])["data"][0]["article_id"]
    send(gateway, "/api/events/click", 2, {"user_id": "traced", "item_id": article, "source": "search"})
    harness.wait_until(lambda: collector.named(f"{1:032x}", "GET /api/recommendation/search"))
    harness.wait_until(lambda: any(span["kind"] == collectors.CONSUMER for span in collector.of(f"{2:032x}")))
    harness.wait_until(lambda: collector.named(f"{2:032x}", "POST /api/events/click"))
    search = collectors.Tree(collector.of(f"{1:032x}"))
    names = [span["name"] for span in search.spans]
    redis = [span for span in search.spans if collectors.attributes(span).get("db.system.name") == "redis"]
    failures.check("the shopper is read from Redis in the snapshot's stage", any(search.path(span)[1:2] == ["snapshot"] for span in redis), names)
    embed = search.one("/embed", collectors.CLIENT)
    if embed is not None:  # models in a process of their own
        failures.check("the call is of the embed stage", search.path(embed)[1:] == ["embed", "/embed"], search.path(embed))
        harness.wait_until(lambda: collector.named(f"{1:032x}", "POST /embed"))
        search = collectors.Tree(collector.of(f"{1:032x}"))
        served = search.one("POST /embed", collectors.SERVER)
        failures.check("inference goes on with the trace", search.path(served)[-2:] == ["/embed", "POST /embed"], search.path(served))
        failures.check("as another role", collector.roles[served["spanId"]] == "inference", collector.roles)
    click = collectors.Tree(collector.of(f"{2:032x}"))
    effect = next(span for span in click.spans if span["kind"] == collectors.CONSUMER)
    path = click.path(effect)
    failures.check("from the click through Kafka to its effect", path[0] == "POST /api/events/click" and len(path) == 3, path)
    failures.check("by the consumer", collector.roles[effect["spanId"]] == "consumer", collector.roles)
    failures.check("spans as the protocol has them", not collector.faults, collector.faults)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--stack", default="--brokers 1 --redis standalone --catalog redis --inference yes", help="arguments of stack.sh start")
    arguments = parser.parse_args()
    failures = harness.Failures()
    collector = collectors.Collector()
    environment = {"PRODUCTS": "120", "SCALESTYLE_OTLP_ENDPOINT": collector.endpoint}
    with stack.Stack(arguments.program, *arguments.stack.split(), environment=environment) as whole:
        table = os.path.join(whole.folder, "sample", "articles.csv")
        gateway = Gateway(whole.values["gateway-1.port"])
        run_cases.run_all(gateway, table, failures, shape="distributed")
        check_traces(gateway, collector, failures)
    failures.finish()


if __name__ == "__main__":
    main()
