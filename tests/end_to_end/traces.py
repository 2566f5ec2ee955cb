"""What a server tells a collector: the tree of a search, a click as far as its effect, only what is worth it, and nothing that a
collector which is away could hold up. And the ids in its log."""

import argparse
import json
import time

import catalogue
import collector as collectors
import harness

SEARCH = "/api/recommendation/search?query=summer+dress&k=5"
ROUTE = "GET /api/recommendation/search"
CLICK = "POST /api/events/click"


def parent(number, sampled=True):
    return f"00-{number:032x}-b7ad6b7169203331-{'01' if sampled else '00'}"


class Scenario:
    def __init__(self, program, data, failures):
        self.program, self.data, self.failures = program, data, failures
        self.collector = collectors.Collector()

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:800])

    def start(self, *more):
        return harness.Server(self.program, self.data, "--reranker", "none", "--otlp-endpoint", self.collector.endpoint, *more)

    def send(self, server, path, number, body=None, sampled=True):
        headers = {"traceparent": parent(number, sampled), "tracestate": "shop=1", "X-Request-Id": f"request-{number}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, answered, document = server.request(path, "GET" if body is None else "POST", headers, None if body is None else json.dumps(body).encode())
        self.check(f"{path}: status", status == 200, document)
        return {name.lower(): value for name, value in answered.items()}, json.loads(document)

    def tree(self, number, name):
        trace = f"{number:032x}"
        harness.wait_until(lambda: self.collector.named(trace, name), 20)
        return collectors.Tree(self.collector.of(trace))

    def search(self, server):
        headers, answer = self.send(server, SEARCH + "&userId=ann", 1)
        tree = self.tree(1, ROUTE)
        root = tree.one(ROUTE)
        self.check("the answer names the server's span", headers.get("traceparent") == f"00-{1:032x}-{root['spanId']}-01", headers)
        self.check("the server's span is the caller's child", root["parentSpanId"] == "b7ad6b7169203331" and root["kind"] == 2, root)
        about = collectors.attributes(root)
        wanted = {"http.request.method": "GET", "http.route": "/api/recommendation/search", "http.response.status_code": "200",
                  "scalestyle.request_id": "request-1", "scalestyle.degraded": False, "scalestyle.kept": "requested"}
        self.check("what the server's span says", wanted.items() <= about.items(), about)
        self.check("the caller's state", root.get("traceState") == "shop=1", root)
        for stage in answer["stages"]:
            span = tree.one(stage["stage"])
            self.check(f"a span for {stage['stage']}", span is not None and tree.path(span) == [ROUTE, stage["stage"]], tree.spans)
            if span is None:
                continue
            took = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e6
            self.check(f"{stage['stage']} took as long as the answer says", abs(took - stage["took_ms"]) < 0.01, (took, stage))
            self.check(f"{stage['stage']}: outcome", collectors.attributes(span)["scalestyle.outcome"] == stage["outcome"], (span, stage))
        self.check("no other spans", len(tree.spans) == 1 + len(answer["stages"]), [span["name"] for span in tree.spans])
        return answer["data"][0]["article_id"]

    def click(self, server, article):
        self.send(server, "/api/events/click", 2, {"user_id": "ann", "item_id": article, "source": "search"})
        tree = self.tree(2, "apply events")
        tree = self.tree(2, CLICK)
        effect = tree.one("apply events", collectors.CONSUMER)
        self.check("from the click to its effect", tree.path(effect) == [CLICK, "append events", "apply events"], tree.path(effect))
        self.check("the append is a producer's", tree.one("append events", collectors.PRODUCER) is not None, tree.spans)
        self.check("what took effect", collectors.attributes(effect).get("scalestyle.events") == "1", effect)

    def only_what_is_worth_it(self, server):
        headers, _ = self.send(server, SEARCH, 3, sampled=False)
        self.check("a caller that does not sample is told so", headers["traceparent"].endswith("-00"), headers)
        self.send(server, SEARCH, 4)
        self.tree(4, ROUTE)
        self.check("an ordinary request leaves nothing", not self.collector.of(f"{3:032x}"), self.collector.of(f"{3:032x}"))

    def slow_ones(self):
        server = self.start("--trace-sample", "0", "--trace-slow-ms", "1", "--log-level", "debug")
        query = "something+that+was+never+asked+before+and+is+long+enough+to+take+its+time"
        self.send(server, f"/api/recommendation/search?query={query}", 5, sampled=False)
        tree = self.tree(5, ROUTE)
        self.check("slow ones are kept", collectors.attributes(tree.one(ROUTE))["scalestyle.kept"] == "slow", tree.spans)
        server.stop()
        harness.wait_until(lambda: any('"stopped"' in line for line in server.lines), 10)
        lines = [json.loads(line) for line in server.lines if line.startswith("{")]
        mine = [line for line in lines if line.get("request_id") == "request-5"]
        self.check("the log has both ids", mine and all(line.get("trace_id") == f"{5:032x}" for line in mine), lines[-5:])

    def collector_away(self, server):
        self.collector.status = 503
        for number in range(100, 130):
            self.send(server, SEARCH, number)
        harness.wait_until(lambda: self.collector.refused > 0, 20)
        metrics = server.request("/metrics")[2].decode()
        self.check("failures are counted", "scalestyle_trace_export_failures_total" in metrics, metrics[-500:])
        self.collector.status = 200
        self.tree(129, ROUTE)

    def end(self, server):
        self.send(server, SEARCH, 6)
        code, seconds = server.stop()
        self.check("it ends well", code == 0 and seconds < 10, (code, seconds))
        self.check("what was queued is sent at the end", bool(self.collector.of(f"{6:032x}")))

    def hung_collector(self):
        server = self.start("--trace-sample", "1")
        take, self.collector.take = self.collector.take, lambda *_: time.sleep(30) or 200
        self.send(server, SEARCH, 7)
        time.sleep(1.5)
        code, seconds = server.stop()
        self.check("a collector that hangs holds up the end for a bounded time", code == 0 and seconds < 15, (code, seconds))
        self.collector.take = take


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    wrong = harness.run(program, "serve", "--data", "nowhere", "--otlp-endpoint", "localhost:4318")
    failures.check("an address that is none", wrong.returncode == 2 and "otlp_endpoint" in wrong.stderr, wrong.stderr)
    with harness.temporary_folder() as folder:
        data, _ = catalogue.ingest_sample(program, folder, failures, products=40)
        scenario = Scenario(program, data, failures)
        server = scenario.start("--trace-sample", "0", "--trace-slow-ms", "60000")
        article = scenario.search(server)
        scenario.click(server, article)
        scenario.only_what_is_worth_it(server)
        scenario.collector_away(server)
        scenario.end(server)
        scenario.slow_ones()
        scenario.hung_collector()
        scenario.check("spans as the protocol has them", not scenario.collector.faults, scenario.collector.faults)
        scenario.collector.close()
    failures.finish()


if __name__ == "__main__":
    main()
