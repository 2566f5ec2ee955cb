"""Searches through a graph of the vectors: refused without one, the same answers as the exact scan's on a small catalogue, filters,
articles that change, and a damaged file. Every search walks here; on so few articles a server would not."""

import argparse
import json
import os
import re
import shutil

import catalogue
import harness

QUERIES = ["summer+dress", "warm+winter+coat", "blue+jeans", "something+for+a+wedding", "running+shoes", "soft+jumper+for+a+child"]
WALK = ("--vector-store", "graph", "--graph-step-cost", "0", "--graph-ef", "64", "--vector-recall-one-in", "1", "--reranker", "none")


def found(server, query, more=""):
    status, answer = server.ask(f"/api/recommendation/search?query={query}&k=20&legs=dense{more}")
    return [item["article_id"] for item in answer["data"]] if status == 200 and not answer["degraded"] else None


def metric(server, name):
    text = server.request("/metrics")[2].decode()
    values = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(values[0]) if values else 0.0


def graph_file(data):
    with open(os.path.join(data, "CURRENT"), encoding="ascii") as current:
        return os.path.join(data, "generations", current.read().strip(), "vectors.graph")


def check_answers(exact, walking, failures):
    for more in ("", "&price_max=40", "&colour=Black"):
        same = wanted = 0
        for query in QUERIES:
            nearest, walked = found(exact, query, more), found(walking, query, more)
            failures.check(f"{query}{more}: answers", nearest is not None and walked is not None)
            if nearest is None or walked is None:
                continue
            failures.check(f"{query}{more}: as many", len(nearest) == len(walked), f"{len(nearest)}, {len(walked)}")
            same += len(set(nearest) & set(walked))
            wanted += len(nearest)
        failures.check(f"recall{more}", same >= 0.97 * wanted, f"{same} of {wanted}")


def check_changes(server, failures):
    _, answer = server.ask("/api/articles/42", "PUT", {"product_name": "Quilvet", "product_type": "Diving suit", "price": 99,
                                                      "description": "A diving suit of neoprene for cold water."})
    failures.check("put", answer.get("visible"), answer)
    query = "a+diving+suit+of+neoprene+for+cold+water"
    failures.check("a new article is found", (found(server, query) or [None])[0] == "0000000042")
    first = found(server, QUERIES[0])[0]
    status, answer = server.ask(f"/api/articles/{first}", "DELETE")
    failures.check("delete", status == 200, answer)
    failures.check("a removed article is not", first not in (found(server, QUERIES[0]) or [first]))


def check_doctor(program, data, failures, passes):
    said = harness.run(program, "doctor", "--data", data, "--vector-store", "graph", "--quick", "--json").stdout
    checks = {check["name"]: check for check in json.loads(said)["checks"]}
    shown = checks["generation"]
    failures.check("doctor", (shown["status"] == "ok") == passes and "graph" in json.dumps(shown), shown)


def check_serving(program, data, other, articles, failures):
    exact = harness.Server(program, other, "--reranker", "none")
    server = harness.Server(program, data, *WALK)
    check_answers(exact, server, failures)
    failures.check("they walked", metric(server, 'scalestyle_graph_queries_total{way="walk"}') > 0)
    harness.wait_until(lambda: metric(server, "scalestyle_vector_recall_ratio_count") > 0)
    ratio = metric(server, "scalestyle_vector_recall_ratio_sum") / metric(server, "scalestyle_vector_recall_ratio_count")
    failures.check("sampled recall", ratio >= 0.97, ratio)
    check_changes(server, failures)
    # A generation without a graph is not taken over; what is served stays.
    before = server.ask("/ready")[1]["generation"]
    made = harness.run(program, "ingest", "--data", data, "--articles", articles, "--currency", "EUR", "--update")
    failures.check("ingest without a graph", made.returncode == 0, made.stderr)
    harness.wait_until(lambda: "--graph" in json.dumps(server.ask("/ready")[1]))
    failures.check("still served", server.ask("/ready")[1]["generation"] == before and found(server, QUERIES[0]))
    made = harness.run(program, "ingest", "--data", data, "--articles", articles, "--currency", "EUR", "--update", "--graph")
    failures.check("ingest with a graph again", made.returncode == 0, made.stderr)
    harness.wait_until(lambda: server.ask("/ready")[1]["generation"] not in (before, None))
    failures.check("served anew", found(server, QUERIES[0]))
    for one in (exact, server):
        code, _ = one.stop()
        failures.check("ends", code == 0, code)


def check_damage(program, data, failures):
    path = graph_file(data)
    with open(path, "r+b") as file:
        file.seek(500)
        byte = file.read(1)
        file.seek(500)
        file.write(bytes([byte[0] ^ 1]))
    refused = harness.run(program, "serve", "--data", data, "--port", "0", *WALK)
    failures.check("a damaged file is named", refused.returncode != 0 and path in refused.stderr, refused.stderr)
    os.truncate(path, 700)
    refused = harness.run(program, "serve", "--data", data, "--port", "0", *WALK)
    failures.check("a short file is named", refused.returncode != 0 and path in refused.stderr, refused.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        data, articles = catalogue.ingest_sample(program, folder, failures, products=60)
        refused = harness.run(program, "serve", "--data", data, "--port", "0", *WALK)
        failures.check("without a graph: refused", refused.returncode != 0 and "--graph" in refused.stderr, refused.stderr)
        check_doctor(program, data, failures, passes=False)

        made = harness.run(program, "ingest", "--data", data, "--articles", articles, "--currency", "EUR", "--update", "--graph", "--json")
        summary = json.loads(made.stdout) if made.returncode == 0 else {}
        failures.check("ingest --graph", summary.get("embedded_texts") == 0 and summary.get("graph_seconds", 0) > 0, made.stdout + made.stderr)
        check_doctor(program, data, failures, passes=True)

        other = os.path.join(folder, "exact")  # a server holds the events of its folder
        shutil.copytree(data, other)
        check_serving(program, data, other, articles, failures)
        check_damage(program, data, failures)
    failures.finish()


if __name__ == "__main__":
    main()
