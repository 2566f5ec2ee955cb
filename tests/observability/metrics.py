"""What a running server exports, against docs/metrics.md, the code, the rules and the panels; hostile clients add no series."""

import argparse
import json
import pathlib
import random
import re
import string
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "end_to_end"))

import catalogue  # noqa: E402
import exported  # noqa: E402
import harness  # noqa: E402

SETTING = re.compile(r"[a-z]+_[a-z_]*(?:_mb|_ms|_days|_depth|_requests|_connections|_one_in)|milvus_[a-z]+")
MOST_SERIES = 3_500        # of a whole exposition: about twice what there is
MOST_OF_A_FAMILY = 800
OF_PROMETHEUS = {"up", "instance", "job", "le"}  # what it adds itself
ALWAYS = {"serve", "all"}


class Scenario:
    def __init__(self, program, folder, failures):
        self.program, self.failures = program, failures
        self.data, _ = catalogue.ingest_sample(program, folder, failures)
        self.document = exported.of_document((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"))
        self.server = None

    def check(self, name, good, detail=""):
        self.failures.check(name, good, str(detail)[:2_000])

    def scrape(self):
        status, headers, body = self.server.request("/metrics")
        self.check("metrics are rendered", status == 200 and headers["Content-Type"].startswith("text/plain"), (status, headers))
        return exported.of_exposition(body.decode())

    def use(self):
        """One of everything that the sample can do."""
        found = self.server.ask("/api/recommendation/search?query=summer+dress&k=5")[1]["data"]
        item = found[0]["article_id"]
        for path in ("search?query=dress&userId=u", "trending?window=1h&k=5", "for-you?userId=u&k=5", f"similar/{item}?k=5"):
            self.server.request(f"/api/recommendation/{path}")
        self.server.request("/api/recommendation/search?query=")
        click = {"user_id": "u", "item_id": item, "source": "search"}
        status, answer = self.server.ask("/api/events/click", "POST", click)
        self.check("a click is taken", status in (200, 202), answer)

    def compare_with_document(self):
        shown, _ = self.scrape()
        for name, metric in sorted(shown.items()):
            told = self.document.get(name)
            self.check(f"docs/metrics.md names {name}", told is not None, f"exported as {metric.kind} {sorted(metric.labels)}")
            if told is None:
                continue
            self.check(f"docs/metrics.md: the type of {name}", told.kind == metric.kind, f"{told.kind}, exported as {metric.kind}")
            self.check(f"docs/metrics.md: the labels of {name}", not metric.labels or told.labels == metric.labels,
                       f"{sorted(told.labels)}, exported with {sorted(metric.labels)}")
        for name, told in sorted(self.document.items()):
            if ALWAYS & set(told.where):
                self.check(f"a running server exports {name}", name in shown, "docs/metrics.md says so")
        values = {name for name, told in self.document.items() if told.kind == "histogram"}
        self.check("histograms are told as such", values <= {n for n, m in shown.items() if m.kind == "histogram"} | self.elsewhere())

    def elsewhere(self):
        """Metrics that this server does not have to export, by docs/metrics.md."""
        return {name for name, told in self.document.items() if not ALWAYS & set(told.where)}

    def compare_with_code(self):
        """What no embedded server exports is at least made somewhere, under that name."""
        made = exported.of_code(ROOT)
        for name, place in sorted(made.items()):
            self.check(f"docs/metrics.md names {name}", name in self.document, f"it is made in {place}")
        literals = "\n".join(path.read_text(encoding="utf-8") for part in ("src", "apps") for path in (ROOT / part).rglob("*.?pp"))
        for name in sorted(self.elsewhere()):
            self.check(f"the code makes {name}", f'"{name}"' in literals, "docs/metrics.md has it")

    def compare_with_rules_and_panels(self):
        shown, _ = self.scrape()
        known = {name: self.document[name] for name in self.document if name in shown or name in self.elsewhere()}
        folder = ROOT / "deploy" / "prometheus" / "rules"
        expressions, recorded = [], set()
        for path in sorted(folder.glob("*.yml")):
            text = path.read_text(encoding="utf-8")
            recorded |= set(re.findall(r"^      - record: (\S+)$", text, re.M))
            for name, body in re.findall(r"^      - (?:alert|record): (\S+)\n        expr: \|\n((?: {10}.*\n)+)", text, re.M):
                expressions.append((f"{path.name} {name}", body))
        for path in sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")):
            for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
                expressions += [(f"{path.name} “{panel['title']}”", target["expr"]) for target in panel["targets"]]
        self.check("expressions were found", len(expressions) > 60, len(expressions))
        for place, expression in expressions:
            names, labels = exported.of_expression(expression)
            allowed = set(OF_PROMETHEUS)
            self.check(f"{place} names a metric", names, expression)
            for name in names - recorded - OF_PROMETHEUS:
                family = exported.family_of(name, known)
                self.check(f"{place}: {family} is exported", family in known, expression)
                allowed |= known[family].labels if family in known else set()
            self.check(f"{place}: its labels", labels <= allowed, f"{sorted(labels - allowed)} in {expression}")

    def follow_runbooks(self):
        """Metrics, commands and settings of the pages are there."""
        commands = set()
        options = "".join(harness.run(self.program, command, "--help").stdout for command in ("serve", "consumer", "ingest"))
        for path in sorted((ROOT / "docs" / "runbooks").glob("*.md")):
            for code in re.findall(r"`([^`]+)`", path.read_text(encoding="utf-8")):
                commands |= {(path.name, command) for command in re.findall(r"^scalestyle ([a-z]+(?: [a-z]+)?)", code)}
                for name in re.findall(r"\b(?:scalestyle|recommendation|process|events|redis_update)_[a-z_]+", code):
                    self.check(f"{path.name}: {name} is exported", exported.family_of(name, self.document) in self.document, code)
                if SETTING.fullmatch(code) and code not in self.document:
                    self.check(f"{path.name}: {code} is a setting", f"--{code.replace('_', '-')}" in options)
        self.check("commands were found", len(commands) > 5, commands)
        for page, command in sorted(commands):
            answer = harness.run(self.program, *command.split(), "--help")
            self.check(f"{page}: scalestyle {command}", answer.returncode == 0, answer.stderr)

    def buckets(self):
        """The objectives go by buckets that exist."""
        _, _, body = self.server.request("/metrics")
        text = body.decode()
        for name, bound in (("recommendation_request_duration_seconds", "0.4"), ("scalestyle_event_freshness_seconds", "1")):
            self.check(f"{name} has a bucket at {bound}", re.search(rf'^{name}_bucket{{[^}}]*le="{bound}"}}', text, re.M))

    def be_hostile(self):
        _, before = self.scrape()
        chance = random.Random(7)
        word = lambda: "".join(chance.choice(string.ascii_letters + string.digits) for _ in range(12))  # noqa: E731
        for _ in range(40):
            self.server.request(f"/{word()}/{word()}")
            self.server.request(f"/api/recommendation/search?query={word()}&userId={word()}&colour={word()}&k=3")
            self.server.request(f"/api/recommendation/similar/{word()}?sessionId={word()}")
            self.server.request(f"/api/articles/{word()}", chance.choice(["GET", "DELETE", "PUT", "PROPFIND", "OPTIONS"]))
            self.server.request("/api/events/click", "POST", {"Content-Type": word()}, word().encode())
            self.server.ask("/api/events", "POST", {"events": [{"event_type": word(), "user_id": word(), "item_id": word()}]})
        _, after = self.scrape()
        for name, count in after.items():
            self.check(f"{name} stays small", count <= MOST_OF_A_FAMILY, count)
        grown = {name: (before.get(name, 0), count) for name, count in after.items()
                 if count > before.get(name, 0) and not name.startswith("scalestyle_http_")}
        self.check("only routes and statuses first seen add series", not grown, grown)
        # Each request has one of a few statuses on one of a few routes: so much, however many come.
        added = sum(after.values()) - sum(before.values())
        self.check("hundreds of hostile requests add few series", added < 250, added)
        self.check("the whole exposition stays small", sum(after.values()) <= MOST_SERIES, sum(after.values()))
        print(f"{sum(before.values())} series before, {sum(after.values())} after hostile requests")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        scenario = Scenario(program, folder, failures)
        scenario.server = harness.Server(program, scenario.data)
        try:
            scenario.use()
            scenario.compare_with_document()
            scenario.compare_with_code()
            scenario.compare_with_rules_and_panels()
            scenario.follow_runbooks()
            scenario.buckets()
            scenario.be_hostile()
        finally:
            scenario.server.stop()
    failures.finish()


main()
