"""scalestyle evaluate on the sample catalogue: searches, recommendations and the vector index, as a search engineer runs it."""

import argparse
import csv
import json
import os

import catalogue
import harness

# Words enough to lead every query astray.
PREFIX = "prefix=red+winter+coat+with+a+hood+or+blue+socks+for+children+"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def make_query_set(articles, folder):
    """A query a product: its name and colour; the article itself is right (2), its other colours are half right (1)."""
    with open(articles, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen, products = [], set()
    for row in rows:
        if row["product_code"] not in products:
            products.add(row["product_code"])
            chosen.append(row)
    chosen = chosen[:40]
    queries = [{"query_id": f"q{i}", "query": f"{row['prod_name']} {row['colour_group_name']}"} for i, row in enumerate(chosen)]
    qrels, lists = [], []
    for i, row in enumerate(chosen):
        others = [other["article_id"] for other in rows if other["product_code"] == row["product_code"] and other is not row]
        qrels += [f"q{i} 0 {row['article_id']} 2"] + [f"q{i} 0 {other} 1" for other in others]
        lists.append(f"q{i},{row['article_id']},{' '.join(others)}")
    qrels.append("q0 0 unheard-of 1")
    write(os.path.join(folder, "queries.jsonl"), "".join(json.dumps(query) + "\n" for query in queries + [{"query_id": "lost", "query": "x"}]))
    write(os.path.join(folder, "qrels.txt"), "\n".join(qrels) + "\n")
    known_layout = os.path.join(folder, "hm")
    write(os.path.join(known_layout, "data", "search", "queries.csv"),
          "query_id,transaction_id,query_text\n" + "".join(f"{q['query_id']},1,\"{q['query']}\"\n" for q in queries))
    write(os.path.join(known_layout, "data", "search", "qrels.csv"), "query_id,positive_ids,negative_ids\n" + "\n".join(lists) + "\n")
    return ["--queries", os.path.join(folder, "queries.jsonl"), "--qrels", os.path.join(folder, "qrels.txt")], known_layout


class Evaluate:
    def __init__(self, program, failures):
        self.program, self.failures = program, failures

    def __call__(self, name, *arguments, code=0, says=""):
        answer = harness.run(self.program, "evaluate", *arguments)
        output = answer.stdout + answer.stderr
        self.failures.check(f"{name}: exit code", answer.returncode == code, f"{answer.returncode}\n{output}")
        self.failures.check(f"{name}: message", says in output, output)
        return answer

    def json(self, name, *arguments):
        answer = self(name, *arguments, "--json")
        return json.loads(answer.stdout) if answer.returncode == 0 else {}


def means(configuration):
    return {measure: figures["mean"] for measure, figures in configuration["measures"].items()}


def check_search(evaluate, data, articles, folder, failures):
    files, known_layout = make_query_set(articles, folder)
    search = ["search", "--data", data, *files]
    found = evaluate.json("one configuration", *search)
    first = found["configurations"][0]
    failures.check("queries counted", found["queries"] == 40 and found["queries_without_judgements"] == ["lost"], str(found)[:300])
    failures.check("an unknown article is counted", found["unknown_articles"] == 1)
    failures.check("names and colours are found", means(first)["mrr@10"] > 0.5, str(means(first)))
    failures.check("nothing was degraded", first["degraded"] == 0)
    again = evaluate.json("the same again", *search)["configurations"][0]
    failures.check("the same figures", again["measures"] == first["measures"])

    several = evaluate.json("several configurations", *search, "all:", "short:k=3", "black:colour=Black&personalize=false", PREFIX)
    by_name = {one["name"]: one for one in several["configurations"]}
    failures.check("all configurations", list(by_name) == ["all", "short", "black", PREFIX], str(list(by_name)))
    failures.check("the first is the one alone", by_name["all"]["measures"] == first["measures"])
    failures.check("k cuts lists", all(query["returned"] == 3 for query in by_name["short"]["per_query"]))
    failures.check("a filter acts", means(by_name["black"])["ndcg@10"] < means(first)["ndcg@10"])
    failures.check("a prefix acts", by_name[PREFIX]["measures"] != first["measures"])
    compared = {one["name"]: one["measures"]["ndcg@10"] for one in several["comparisons"]}
    failures.check("compared with the first", set(compared) == {"short", "black", PREFIX})
    failures.check("the difference is that of the means", abs(
        compared["black"]["difference"]["mean"] - means(by_name["black"])["ndcg@10"] + means(first)["ndcg@10"]) < 1e-9)
    failures.check("a loss is seen", compared["black"]["p"] < 0.01 and compared["black"]["worse"] > compared["black"]["better"])

    table = os.path.join(folder, "per_query.tsv")
    text = evaluate("a table", *search, "all:", "short:k=3", "--per-query", table, says="short against all").stdout
    failures.check("latency beside quality", "p99 ms" in text and "nDCG@10" in text, text)
    with open(table, encoding="utf-8") as file:
        lines = file.read().splitlines()
    failures.check("a line a query and configuration", len(lines) == 81 and lines[0].startswith("configuration\tquery_id"))

    evaluate("the minimum is reached", *search, "--minimum", "ndcg@10=0.1,mrr@10:2=0.1")
    evaluate("it is not", *search, "--minimum", "ndcg@10=1", code=1, says="below the minimum: ndcg@10 is ")
    typed = evaluate("typing errors", *search, "--typos", "query", "--json", says="typing errors in ")
    failures.check("typing errors cost", means(json.loads(typed.stdout)["configurations"][0])["ndcg@10"] < means(first)["ndcg@10"])
    sampled = evaluate.json("a sample", *search, "--sample", "10", "--measures", "recall@200,hit@1")
    failures.check("fewer queries", 8 <= sampled["queries"] <= 10 and list(sampled["configurations"][0]["measures"]) == ["recall@200", "hit@1"])
    deep = sampled["configurations"][0]["per_query"]
    failures.check("pages are joined", all(query["returned"] == 200 for query in deep), str(deep)[:300])
    layout = evaluate.json("a folder of the known layout", "search", "--data", data, "--queries", known_layout)
    failures.check("its queries", layout["queries"] == 40 and means(layout["configurations"][0])["mrr@10:2"] > 0.3)

    evaluate("a wrong parameter", *search, "x:colur=Red", code=2, says="did you mean \"colour\"?")
    evaluate("a wrong value", *search, "x:personalize=maybe", code=2, says="configuration \"x:personalize=maybe\"")
    evaluate("a name alone", *search, "dense", code=2, says="neither NAME:parameter=value nor parameter=value")
    evaluate("a name twice", *search, "x:", "x:k=3", code=2, says="two configurations are called \"x\"")
    evaluate("a wrong measure", *search, "--measures", "ndgc@10", code=2, says="did you mean ndcg?")
    evaluate("a missing half", "search", "--data", data, "--queries", os.path.join(known_layout, "data"), "--qrels", "none.txt",
             code=2, says="none.txt")


def check_configurations(program, evaluate, data, folder, failures):
    """A named configuration is judged offline, then tried live by the same name."""
    file = write(os.path.join(folder, "configurations.json"), json.dumps({"short": "k=3&rerank=false"}))
    files = ["--queries", os.path.join(folder, "queries.jsonl"), "--qrels", os.path.join(folder, "qrels.txt")]
    search = ["search", "--data", data, *files, "--configurations", file]
    found = {one["name"]: one for one in evaluate.json("a named one", *search, "@short", "plain:k=3&rerank=false", "longer:config=short&k=5")["configurations"]}
    failures.check("it is what it stands for", found["short"]["measures"] == found["plain"]["measures"], str(found)[:300])
    failures.check("what is given beside it counts", all(query["returned"] == 5 for query in found["longer"]["per_query"]))
    evaluate("an unknown one", *search, "@shorter", code=2, says="did you mean \"short\"?")
    evaluate("without a file", "search", "--data", data, *files, "@short", code=2, says="its setting configurations names the file")
    write(file + ".wrong", json.dumps({"short": "k=3&offset=1"}))
    evaluate("a wrong file", "search", "--data", data, *files, "--configurations", file + ".wrong", code=2,
             says="configuration \"short\": offset belongs to the request")

    server = harness.Server(program, data, "--configurations", file)
    path = "/api/recommendation/search?query=dress&config=short"
    status, answer = server.ask(path)
    failures.check("the same live", status == 200 and len(answer["data"]) == 3 and answer["configuration"] == "short", answer)
    write(file, json.dumps({"short": "k=2", "other": "k=1"}))
    harness.wait_until(lambda: len(server.ask(path)[1]["data"]) == 2)
    write(file, "{")
    names = "/api/recommendation/debug/configurations"
    harness.wait_until(lambda: "failing" in server.ask(names)[1])
    failures.check("a wrong file changes nothing", [one["name"] for one in server.ask(names)[1]["configurations"]] == ["other", "short"])
    failures.check("the metric tells", b"scalestyle_search_configurations_failing 1" in server.request("/metrics")[2])
    server.stop()
    failures.check("the log tells", any("those in force stay" in line for line in server.lines), server.lines)


def check_recommend(evaluate, data, folder, failures):
    purchases = os.path.join(folder, "sample", "transactions.csv")
    with open(purchases, encoding="utf-8") as file:
        days = sorted({row["t_dat"] for row in csv.DictReader(file)})
    until = days[len(days) * 3 // 4]
    command = ["recommend", "--transactions", purchases, "--train-until", until]
    found = evaluate.json("recommend", *command)
    failures.check("baselines", len(found["recommenders"]) == 6 and found["buyers"] > found["known_buyers"] > 0, str(found)[:300])
    # The sample's best sellers stay best sellers.
    failures.check("popularity is right at times", found["recommenders"][0]["all_buyers"]["measures"]["hit@12"]["mean"] > 0)
    failures.check("the same again", evaluate.json("recommend again", *command) == found)
    evaluate("a table", *command, "--test-days", "7", "--train-days", "30", says="buyers with a history")
    evaluate("a catalogue that knows the days judged", *command, "--data", data, code=1, says="ingest with purchases up to that day")
    last = days[-2]
    evaluate("no day", "recommend", "--transactions", purchases, code=2, says="--train-until is missing")
    evaluate("a wrong day", "recommend", "--transactions", purchases, "--train-until", "tomorrow", code=2, says="YYYY-MM-DD")
    evaluate("nothing to judge", "recommend", "--transactions", purchases, "--train-until", "2099-01-01", code=2, says="no purchase after")
    evaluate("no file", "recommend", "--train-until", last, code=2, says="--transactions is missing")
    evaluate("several days", *command, "--rolling", "2", "--als=false", "--resamples", "100", says=until)
    evaluate("another day is known", "recommend", "--train", purchases, "--test", purchases, code=2, says="must come after")
    evaluate("two ways to say what is known", *command[:1], "--train", purchases, "--test", purchases, "--train-until", until, code=2,
             says="--train-until does not go with")
    evaluate("nothing to compare with", *command, "--als=false", "--against", "luck", code=2, says="there is no recommender \"luck\"")
    evaluate("no catalogue to tune by", *command, "--tune", code=2, says="--articles or --data")

    known = os.path.join(folder, "known.csv")
    with open(purchases, encoding="utf-8") as source, open(known, "w", encoding="utf-8") as target:
        target.writelines(line for i, line in enumerate(source) if i == 0 or line[:10] <= until)
    early = os.path.join(folder, "early")
    made = harness.run(evaluate.program, "ingest", "--data", early, "--articles", os.path.join(folder, "sample", "articles.csv"),
                       "--transactions", known, "--currency", "EUR")
    failures.check("ingest of the known days", made.returncode == 0, made.stderr)
    with_catalogue = evaluate.json("with a catalogue", *command, "--data", early)
    lists = {one["name"]: one for one in with_catalogue["recommenders"]}
    failures.check("the catalogue's own list, and the blend", {"catalogue: all-time popularity", "blend"} <= set(lists), str(list(lists)))
    popular, listed = lists["popularity"], lists["catalogue: all-time popularity"]
    failures.check("it is the same popularity", listed["all_buyers"]["measures"] == popular["all_buyers"]["measures"])


def check_vectors(evaluate, data, folder, failures):
    found = evaluate.json("vectors", "vectors", "--data", data, "--sample", "50", "--depths", "1,10,100")
    failures.check("the exact scan misses nothing", all(one["least"] == 1 for one in found["measures"].values()) and found["exact"], str(found))
    filtered = evaluate.json("with a filter", "vectors", "--data", data, "--sample", "50", "--eligible-share", "0.12")
    failures.check("nor with a filter", filtered["measures"]["recall@10"]["mean"] == 1)
    texts = evaluate.json("of queries", "vectors", "--data", data, "--queries", os.path.join(folder, "queries.jsonl"))
    failures.check("texts are embedded", texts["queries"] == 41 and texts["measures"]["recall@100"]["mean"] == 1, str(texts))
    evaluate("a wrong depth", "vectors", "--data", data, "--depths", "10,x", code=2, says="--depths: \"x\"")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        data, articles = catalogue.ingest_sample(program, folder, failures)
        evaluate = Evaluate(program, failures)
        check_search(evaluate, data, articles, folder, failures)
        check_configurations(program, evaluate, data, folder, failures)
        check_recommend(evaluate, data, folder, failures)
        check_vectors(evaluate, data, folder, failures)
    failures.finish()


main()
