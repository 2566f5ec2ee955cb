"""Asks the server of a sample catalogue what cases/*.json say, and compares the answers.

A case: {"name", "path", "method"?, "status", "headers"? {name: text}, "fields"? {dotted.path: value},
"each"? {field of every item of data: value or [values]}, "count"? items of data, "contains"? text of the body}.
A field's value "*" stands for any value but null. "{first}" in a path is the id of the catalogue's first article.
"""

import argparse
import glob
import json
import os

import harness


def value_at(document, dotted):
    for part in dotted.split("."):
        if isinstance(document, list):
            document = document[int(part)] if int(part) < len(document) else None
        elif isinstance(document, dict):
            document = document.get(part)
        else:
            return None
    return document


def compare(case, status, headers, body, failures):
    name = case["name"]
    failures.check(f"{name}: status", status == case["status"], f"{status} {body[:300]}")
    lower = {key.lower(): value for key, value in headers.items()}
    for header, text in case.get("headers", {}).items():
        failures.check(f"{name}: header {header}", text in lower.get(header.lower(), ""), str(headers))
    if "contains" in case:
        failures.check(f"{name}: body", case["contains"] in body.decode(errors="replace"), body[:300])
    if not ({"fields", "each", "count"} & case.keys()):
        return
    document = json.loads(body)
    for dotted, expected in case.get("fields", {}).items():
        actual = value_at(document, dotted)
        good = actual is not None if expected == "*" else actual == expected
        failures.check(f"{name}: {dotted}", good, f"{actual!r} is not {expected!r}")
    data = document.get("data") or []
    if "count" in case:
        failures.check(f"{name}: items", len(data) == case["count"], f"{len(data)} is not {case['count']}")
    for field, expected in case.get("each", {}).items():
        allowed = expected if isinstance(expected, list) else [expected]
        for item in data:
            failures.check(f"{name}: {field} of {item['article_id']}", item[field] in allowed, repr(item[field]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        sample, data = os.path.join(folder, "sample"), os.path.join(folder, "data")
        made = harness.run(program, "sample", "--out", sample, "--products", "120", "--seed", "7")
        failures.check("sample", made.returncode == 0, made.stderr)
        ingested = harness.run(program, "ingest", "--data", data, "--articles", os.path.join(sample, "articles.csv"),
                               "--images", os.path.join(sample, "images"),
                               "--transactions", os.path.join(sample, "transactions.csv"), "--currency", "EUR")
        failures.check("ingest", ingested.returncode == 0, ingested.stderr)
        with open(os.path.join(sample, "articles.csv"), encoding="utf-8") as articles:
            articles.readline()
            first = articles.readline().split(",", 1)[0]
        server = harness.Server(program, data)
        try:
            for path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), "cases", "*.json"))):
                with open(path, encoding="utf-8") as file:
                    for case in json.load(file):
                        answer = server.request(case["path"].replace("{first}", first), case.get("method", "GET"))
                        compare(case, *answer, failures)
            failures.check("the server is alive", server.process.poll() is None)
        finally:
            code, seconds = server.stop()
        failures.check("SIGTERM ends with 0", code == 0, str(code))
        failures.check("within 5 s", seconds < 5, f"{seconds:.1f} s")
    failures.finish()


main()
