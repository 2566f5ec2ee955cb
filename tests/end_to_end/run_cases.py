"""Asks the server of a sample catalogue what cases/*.json say, and compares the answers. Cases of a file run in order.

A case: {"name", "path", "method"?, "body"? JSON or text, "status", "headers"? {name: text}, "fields"? {dotted.path: value},
"absent"? [dotted.path], "each"? {field of every item of data: value or [values]}, "items"? {article id: {field: value}},
"embedded"? as fields, of what other engines answer otherwise, "count"? items of data, "contains"? text of the body, "capture"? {name: dotted.path}}.
A field's value "*" stands for any value but null, {"above": n} for a greater number, {"below": n} for a smaller one,
{"not": value} for any other value but null, null for none.
"{name}" in any text of a case is a captured value of an earlier case of the file; "{first}", "{second}" and "{third}"
are ids of the catalogue's first articles.
"""

import argparse
import glob
import json
import os
import time

import catalogue
import harness

SETTLED_SECONDS = 10


def value_at(document, dotted):
    for part in dotted.split("."):
        if isinstance(document, list):
            document = document[int(part)] if int(part) < len(document) else None
        elif isinstance(document, dict):
            document = document.get(part)
        else:
            return None
    return document


def substituted(value, known):
    if isinstance(value, str):
        for name, text in known.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, list):
        return [substituted(entry, known) for entry in value]
    if isinstance(value, dict):
        return {substituted(key, known): substituted(entry, known) for key, entry in value.items()}
    return value


def is_as_expected(actual, expected):
    if expected == "*":
        return actual is not None
    if isinstance(expected, dict) and expected.keys() == {"above"}:
        return isinstance(actual, (int, float)) and actual > expected["above"]
    if isinstance(expected, dict) and expected.keys() == {"below"}:
        return isinstance(actual, (int, float)) and actual < expected["below"]
    if isinstance(expected, dict) and expected.keys() == {"not"}:
        return actual is not None and actual != expected["not"]
    return actual == expected


def compare(case, status, headers, body, failures):
    name = case["name"]
    failures.check(f"{name}: status", status == case["status"], f"{status} {body[:300]}")
    lower = {key.lower(): value for key, value in headers.items()}
    for header, text in case.get("headers", {}).items():
        failures.check(f"{name}: header {header}", text in lower.get(header.lower(), ""), str(headers))
    if "contains" in case:
        failures.check(f"{name}: body", case["contains"] in body.decode(errors="replace"), body[:300])
    if not ({"fields", "absent", "each", "items", "count", "capture"} & case.keys()):
        return {}
    document = json.loads(body)
    for dotted, expected in case.get("fields", {}).items():
        actual = value_at(document, dotted)
        failures.check(f"{name}: {dotted}", is_as_expected(actual, expected), f"{actual!r} is not {expected!r}")
    for dotted in case.get("absent", []):
        failures.check(f"{name}: no {dotted}", value_at(document, dotted) is None, repr(value_at(document, dotted)))
    data = document.get("data") or []
    if "count" in case:
        failures.check(f"{name}: items", len(data) == case["count"], f"{len(data)} is not {case['count']}")
    for field, expected in case.get("each", {}).items():
        allowed = expected if isinstance(expected, list) else [expected]
        for item in data:
            failures.check(f"{name}: {field} of {item['article_id']}", any(is_as_expected(item.get(field), one) for one in allowed), repr(item.get(field)))
    by_id = {item["article_id"]: item for item in data} if "items" in case else {}
    for article, fields in case.get("items", {}).items():
        failures.check(f"{name}: {article} is shown", article in by_id, str(list(by_id)))
        for field, expected in fields.items():
            actual = by_id.get(article, {}).get(field)
            failures.check(f"{name}: {field} of {article}", is_as_expected(actual, expected), f"{actual!r} is not {expected!r}")
    return {key: str(value_at(document, dotted)) for key, dotted in case.get("capture", {}).items()}


def wait_for(case, ask):
    """What other engines carry is seen a moment later: until then an answer may differ."""
    until = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < until:
        looked = harness.Failures(quiet=True)
        compare(case, *ask(), looked)
        if looked.count == 0:
            return
        time.sleep(0.2)


def run_file(path, server, articles, failures, shape="embedded"):
    known = dict(zip(["first", "second", "third"], articles))
    with open(path, encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        case = substituted(case, known)
        if shape == "embedded" and "embedded" in case:
            case["fields"] = {**case.get("fields", {}), **case.get("embedded", {})}
        body = case.get("body")
        if body is not None:
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        method = case.get("method", "GET")
        ask = lambda: server.request(case["path"], method, headers, body)
        if shape != "embedded" and method == "GET":
            wait_for(case, ask)
        known.update(compare(case, *ask(), failures))


def run_all(server, table, failures, shape="embedded"):
    """`table`: the sample's articles."""
    with open(table, encoding="utf-8") as file:
        file.readline()
        articles = [file.readline().split(",", 1)[0] for _ in range(3)]
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases", "*.json"))):
        run_file(path, server, articles, failures, shape)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        data, table = catalogue.ingest_sample(program, folder, failures)
        server = harness.Server(program, data)
        try:
            run_all(server, table, failures)
            failures.check("the server is alive", server.process.poll() is None)
        finally:
            code, seconds = server.stop()
        failures.check("SIGTERM ends with 0", code == 0, str(code))
        failures.check("within 5 s", seconds < 5, f"{seconds:.1f} s")
    failures.finish()


if __name__ == "__main__":
    main()
