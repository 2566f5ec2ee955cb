"""Reranking 10 … 100 pairs of 50 tokens with MiniLM-L6's shape in int8 (random weights), text to score, one core and two. About 2 minutes."""
import points

FULL = (10, 20, 50, 100)
SMOKE = (2, 4, 6)


def main():
    options = points.arguments(__doc__)
    sizes = points.sizes(options, FULL, SMOKE)
    record = points.Record(options)
    names = {cores: f"pairs of 50 tokens, {cores} core{'s' * (cores > 1)}" for cores in (1, 2)}
    for name in names.values():
        record.series(name, "pairs", (200, 1_000))
    for pairs in sizes:
        if all(record.has(name, pairs) for name in names.values()):
            continue
        record.forget(pairs)
        for one in points.json_lines(points.run([
                points.program(options, "rerank_bench"), "--model", "minilm", "--precision", "int8", "--pairs", pairs, "--tau-pairs", 5,
                "--seconds-per-cell", 0.05 if options.smoke else 3, "--json"])):
            if one.get("pairs") == f"{pairs} even":
                record.add(names[one["threads"]], pairs, {"p50_ms": one["p50_ms"], "processor_ms": one["processor_ms"]})
    record.note("Medians of repeated calls; processor time is that of all threads together.")
    record.write()


if __name__ == "__main__":
    main()
