"""Articles, their texts and queries as the rivals need them."""
import json
import math
import random
import re

import runs

# Searched fields and what they count, as far as the rivals can be told it: chosen by hand, the same for both.
BOOSTS = {"prod_name": 2, "product_type_name": 3, "product_group_name": 1, "graphical_appearance_name": 1, "colour_group_name": 2,
          "perceived_colour_value_name": 1, "perceived_colour_master_name": 1, "department_name": 1, "index_name": 1,
          "section_name": 1, "garment_group_name": 1, "detail_desc": 1}
WORD = re.compile(r"[a-z0-9]+")


def read_articles(path):
    """Dictionaries of trimmed texts in the order of a generation's rows: ascending ids."""
    if not path.exists():
        runs.cannot(f"{path} is not there: give --articles")
    names = ["article_id", *BOOSTS]
    if path.suffix == ".csv":
        from pyarrow import csv
        kinds = csv.ConvertOptions(include_columns=names, column_types={name: "string" for name in names})
        table = csv.read_csv(path, convert_options=kinds, parse_options=csv.ParseOptions(newlines_in_values=True))
    else:
        from pyarrow import parquet
        table = parquet.read_table(path, columns=names)
    rows = [{name: "" if value is None else str(value).strip() for name, value in one.items()} for one in table.to_pylist()]
    for one in rows:
        one["article_id"] = one["article_id"].zfill(10)
    return sorted(rows, key=lambda one: one["article_id"])


def rerank_text(one):
    """What a cross-encoder reads of an article, as src/catalog/rerank_text.hpp cuts it, in characters."""
    sentences = [("prod_name",), ("product_type_name", "colour_group_name", "graphical_appearance_name"),
                 ("department_name", "section_name")]
    text = " ".join(", ".join(part) + "." for part in ([one[name] for name in names if one[name]] for names in sentences) if part)
    room, description = max(0, 239 - len(text)), one["detail_desc"]
    if len(description) > room:
        description = description[:room + 1].rsplit(None, 1)[0] if " " in description[:room + 1] else ""
    return f"{text} {description}".strip()


def write_documents(rows, path):
    """Tab-separated, with a head that names each field's boost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write("\t".join(["id", *(f"{name}^{boost}" for name, boost in BOOSTS.items())]) + "\n")
        for one in rows:
            file.write("\t".join(" ".join(one[name].split()) for name in ("article_id", *BOOSTS)) + "\n")


def generated_queries(rows, count, seed=17):
    """One to six neighbouring words of a name, an attribute or a description; each once."""
    chance, queries = random.Random(seed), {}
    while len(queries) < count:
        one = chance.choice(rows)
        source = chance.choice(("detail_desc", "detail_desc", "prod_name", "attribute"))
        attribute = chance.choice(("product_type_name", "colour_group_name", "department_name", "section_name"))
        text = f"{one['prod_name']} {one[attribute]}" if source == "attribute" else one[source]
        words = WORD.findall(text.lower())
        if words:
            length = min(len(words), chance.randint(1, 6))
            first = chance.randint(0, len(words) - length)
            queries[" ".join(words[first:first + length])] = None
    return list(queries)


def judged(folder):
    """([(id, query)], {id: {article: grade}})."""
    if not (folder / "queries.jsonl").exists():
        runs.cannot(f"{folder}/queries.jsonl is not there: give --search")
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    grades = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, article, grade = line.split("\t")
        grades.setdefault(query, {})[article] = int(grade)
    return [(one["query_id"], one["query"]) for one in queries], grades


def ndcg_at_ten(ranked, grades):
    """Gain 2^grade − 1, ideal from the judgements."""
    def discounted(values):
        return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(values))
    ideal = discounted(sorted(grades.values(), reverse=True)[:10])
    return discounted([grades.get(article, 0) for article in ranked[:10]]) / ideal if ideal else 0.0


def mean_ndcg(first, queries, grades):
    return sum(ndcg_at_ten(ranked, grades.get(name, {})) for ranked, (name, _) in zip(first, queries)) / len(queries)
