"""Share of the same 100 nearest articles under two precisions, over a query set: the gate of the int8 default.

usage: top100_overlap.py --program build/release/scalestyle --queries queries.jsonl --data DIR [--reference-data DIR]
                         [--precision int8] [--reference-precision f32] [--least 0.97]

Starts one server after the other on loopback and compares their answers. With --reference-data the documents may have
been embedded under another precision too. Exits 1 when the mean is below --least.
"""

import argparse
import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "end_to_end"))
import harness  # noqa: E402


def nearest(program, data, precision, queries):
    server = harness.Server(program, data, "--query-precision", precision)
    try:
        found = {}
        for query in queries:
            path = "/api/recommendation/search?k=100&collapse=false&deadline_ms=10000&query=" + urllib.parse.quote(query["query"])
            status, _, body = server.request(path)
            answer = json.loads(body)
            if status != 200 or answer["degraded"]:
                sys.exit(f"{query['query_id']}: {status} {body[:200]}")
            found[query["query_id"]] = {item["article_id"] for item in answer["data"]}
        return found
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--reference-data")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--reference-precision", default="f32")
    parser.add_argument("--least", type=float, default=0.97)
    options = parser.parse_args()
    with open(options.queries, encoding="utf-8") as file:
        queries = [json.loads(line) for line in file if line.strip()]
    ours = nearest(options.program, options.data, options.precision, queries)
    reference = nearest(options.program, options.reference_data or options.data, options.reference_precision, queries)
    shares = sorted(len(ours[name] & reference[name]) / max(1, len(reference[name])) for name in ours)
    mean = sum(shares) / len(shares)
    print(f"{len(shares)} queries: mean {mean:.4f}, least {shares[0]:.2f}, median {shares[len(shares) // 2]:.2f}")
    sys.exit(0 if mean >= options.least else 1)


main()
