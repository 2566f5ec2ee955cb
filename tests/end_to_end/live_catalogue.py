"""Articles change while the real program serves them; SIGKILL, restarts and an ingest lose nothing."""

import argparse
import os

import catalogue
import harness


class Live:
    def __init__(self, server, failures):
        self.server = server
        self.failures = failures

    def change(self, name, path, method, body=None):
        status, answer = self.server.ask(path, method, body)
        self.failures.check(name, status == 200 and answer["visible"], answer)

    def article(self, article):
        status, answer = self.server.ask(f"/api/articles/{article}")
        return answer["data"] if status == 200 else None

    def first(self, query, legs):
        _, answer = self.server.ask(f"/api/recommendation/search?query={query}&k=1&legs={legs}")
        return answer["data"][0]["article_id"] if answer["data"] else None


def check_state(name, live, failures, priced, removed):
    failures.check(f"{name}: price", live.article(priced)["price"] == 0.25)
    failures.check(f"{name}: removed", live.article(removed) is None)
    cheap = live.server.ask("/api/recommendation/browse?price_max=0.5")[1]["data"]
    failures.check(f"{name}: filter", [item["article_id"] for item in cheap] == [priced], cheap)
    failures.check(f"{name}: by words", live.first("quilvet", "lexical") == "0000000042")
    failures.check(f"{name}: by meaning", live.first("a+diving+suit+of+neoprene+for+cold+water", "dense") == "0000000042")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        data, articles = catalogue.ingest_sample(program, folder, failures, products=12)
        server = harness.Server(program, data)
        live = Live(server, failures)
        listed = server.ask("/api/recommendation/browse?sort=name&k=2")[1]["data"]
        priced, removed = (item["article_id"] for item in listed)
        live.change("patch", f"/api/articles/{priced}", "PATCH", {"price": 0.25})
        live.change("put", "/api/articles/42", "PUT", {"product_name": "Quilvet", "product_type": "Diving suit", "price": 99,
                                                       "description": "A diving suit of neoprene for cold water."})
        live.change("batch", "/api/articles/batch", "POST",
                    {"operations": [{"operation": "patch", "article_id": "42", "price": 120.5},
                                    {"operation": "delete", "article_id": removed}]})
        check_state("served", live, failures, priced, removed)
        server.kill()

        server = harness.Server(program, data)
        live = Live(server, failures)
        check_state("after a kill", live, failures, priced, removed)
        failures.check("price after a kill", live.article("42")["price"] == 120.5)
        # The articles file is older than the changes: it does not overrule them.
        ingested = harness.run(program, "ingest", "--data", data, "--articles", articles, "--update", "--json")
        failures.check("ingest", ingested.returncode == 0 and '"carried_changes":4' in ingested.stdout, ingested.stdout + ingested.stderr)
        with open(os.path.join(data, "CURRENT"), encoding="ascii") as current:
            generation = current.read().strip()
        harness.wait_until(lambda: server.ask("/ready")[1].get("generation") == generation)
        check_state("after an ingest", live, failures, priced, removed)
        live.change("after an ingest", f"/api/articles/{priced}", "PATCH", {"available": False})
        cheap = server.ask("/api/recommendation/browse?price_max=0.5")[1]
        failures.check("not available", cheap["total"] == 0, cheap)
        code, _ = server.stop()
        failures.check("stop", code == 0, code)
    failures.finish()


if __name__ == "__main__":
    main()
