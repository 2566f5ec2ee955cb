"""The 100 best articles by words, one thread, in memory: ours beside Tantivy (through its Python package: some ten microseconds of a
search) and Lucene (Java). The same articles and twelve fields; BM25 of stemmed words summed over the fields with boosts; from the
query's text to its rows; the time of a query is the best of its rounds, p50 and p99 are over queries.
Ours does more with a query: it corrects, joins and splits words and knows prefixes. Quality: nDCG@10 of the judged queries."""
import os
import re
import shutil
import subprocess
import time

import catalogue
import runs

K, GENERATED = 100, 3_000
SETS = {"judged": ("development queries", 20), "generated": ("generated queries", 3)}  # our name of it, rounds


class Tantivy:
    def __init__(self, rows):
        import tantivy
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("article_id", stored=True, tokenizer_name="raw")
        for name in catalogue.BOOSTS:
            schema.add_text_field(name, stored=False, tokenizer_name="en_stem", index_option="freq")
        self.index = tantivy.Index(schema.build())
        start = time.perf_counter()
        writer = self.index.writer(heap_size=512_000_000, num_threads=1)
        for one in rows:
            writer.add_document(tantivy.Document(**{name: [one[name]] for name in ("article_id", *catalogue.BOOSTS)}))
        writer.commit()
        writer.wait_merging_threads()
        self.index.reload()
        self.build_seconds = time.perf_counter() - start
        self.searcher = self.index.searcher()
        self.fields, self.boosts = list(catalogue.BOOSTS), {name: float(boost) for name, boost in catalogue.BOOSTS.items()}

    def search(self, text):
        plain = " ".join(catalogue.WORD.findall(text.lower()))  # its query language has signs of its own
        query = self.index.parse_query(plain, self.fields, field_boosts=self.boosts)
        return self.searcher.search(query, K, count=False).hits

    def ids(self, hits):
        return [self.searcher.doc(address)["article_id"][0] for _, address in hits]


def time_tantivy(engine, sets):
    cells = {}
    for name, queries in sets.items():
        best = [float("inf")] * len(queries)
        for turn in range(SETS[name][1] + 1):
            for index, text in enumerate(queries):
                start = time.perf_counter()
                engine.search(text)
                if turn > 0:
                    best[index] = min(best[index], 1e3 * (time.perf_counter() - start))
        cells |= quantiles(name, best)
    return cells


def quantiles(name, milliseconds):
    return {(name, "p50"): runs.percentile(milliseconds, 0.5), (name, "p99"): runs.percentile(milliseconds, 0.99)}


def lucene_command(options):
    folder = options.work / "lucene"
    if shutil.which("java") and (folder / "classes" / "WordsBench.class").exists():
        return ["java", "-Xmx2g", "-XX:+UseSerialGC", "-cp", f"{folder}/classes:{folder}/jars/*", "WordsBench"]
    return None


def time_lucene(command, documents, files, found):
    cells = {}
    sets = [f"{name}={path}={SETS[name][1]}" for name, path in files.items()]
    for one in runs.json_lines(runs.run([*command, documents, K, *sets])):
        cells |= quantiles(one["set"], one["ms"])
        found[one["set"]] = one
    return cells


def ours(options, queries, found, check):
    said = runs.run([runs.program(options, "lexical_bench"), "--articles", options.articles, "--search", options.search,
                     "--queries", queries, "--check", check])
    found["nDCG@10"] = re.search(r"^as written\s+nDCG@10 ([\d.]+)", said, re.M)[1]
    found["build"] = re.search(r"built in (\d+) ms", said)[1]
    cells = {}
    for name, (label, _) in SETS.items():
        values = re.search(rf"^{label}\s+{K}\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)", said, re.M)
        cells[name, "p50"], cells[name, "p99"] = float(values[2]), float(values[4])
    return cells


def main():
    options = runs.arguments(__doc__).parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for each: the JVM's compiler and collector count too
    record = runs.Record(options, {"tantivy": runs.version("tantivy")})
    rows = catalogue.read_articles(options.articles)
    judged, grades = catalogue.judged(options.search)
    folder = options.work / "cache" / "words"
    documents = folder / "documents.tsv"
    catalogue.write_documents(rows, documents)
    generated = catalogue.generated_queries(rows, 100 if options.smoke else GENERATED)
    sets = {"judged": [text for _, text in judged], "generated": generated}
    files = {name: folder / f"{name}.txt" for name in sets}
    for name, queries in sets.items():
        files[name].write_text("\n".join(queries) + "\n", encoding="utf-8")
    engine, of_ours, of_lucene = Tantivy(rows), {}, {}
    sides = {"ours": lambda: ours(options, files["generated"], of_ours, 1 if options.smoke else 10),
             "Tantivy": lambda: time_tantivy(engine, sets)}
    command = lucene_command(options)
    if command:
        sides["Lucene"] = lambda: time_lucene(command, documents, files, of_lucene)
        java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr.splitlines()[0]
        record.document["versions"] |= {"Lucene": "9.12.1", "Java": java}
    else:
        record.note("Lucene was not to be had: setup.sh says why.")
    found = runs.take_turns(options.repeats, sides)
    quality = {"ours": f"nDCG@10 {float(of_ours['nDCG@10']):.3f}, built in {float(of_ours['build']) / 1e3:.1f} s"}
    ranked = [engine.ids(engine.search(text)[:10]) for text in sets["judged"]]
    quality["Tantivy"] = f"nDCG@10 {catalogue.mean_ndcg(ranked, judged, grades):.3f}, built in {engine.build_seconds:.1f} s"
    if command:
        first, seconds = of_lucene["judged"]["first"], of_lucene["judged"]["build_seconds"]
        quality["Lucene"] = f"nDCG@10 {catalogue.mean_ndcg(first, judged, grades):.3f}, built in {seconds:.1f} s"
    for name, count in (("judged", len(judged)), ("generated", len(generated))):
        kind = "judged queries" if name == "judged" else "queries of 1 to 6 words of the catalogue"
        for quantile in ("p50", "p99"):
            for rival in [side for side in sides if side != "ours"]:
                record.add(f"{count:,} {kind}, top {K} of {len(rows):,}, {quantile}", rival, "ms",
                           (found["ours"][name, quantile], found[rival][name, quantile]), (quality["ours"], quality[rival]))
    record.write(options.out)


if __name__ == "__main__":
    main()
