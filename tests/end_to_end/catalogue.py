"""A small sample catalogue, ingested, for tests of the running program."""

import os

import harness


def ingest_sample(program, folder, failures, products=120, seed=7, transactions=True):
    """Returns the data folder and the path of the articles table."""
    sample, data = os.path.join(folder, "sample"), os.path.join(folder, "data")
    made = harness.run(program, "sample", "--out", sample, "--products", str(products), "--seed", str(seed))
    failures.check("sample", made.returncode == 0, made.stderr)
    articles = os.path.join(sample, "articles.csv")
    arguments = ["--images", os.path.join(sample, "images"), "--currency", "EUR"]
    if transactions:
        arguments += ["--transactions", os.path.join(sample, "transactions.csv")]
    ingested = harness.run(program, "ingest", "--data", data, "--articles", articles, *arguments)
    failures.check("ingest", ingested.returncode == 0, ingested.stderr)
    return data, articles
