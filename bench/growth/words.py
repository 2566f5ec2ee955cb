"""Search by words over 10 k … 1 M made-up articles, drawn from the word statistics of H&M's catalogue where it is here, else of a sample
one: time to build the index, memory, and the time of a query, over all articles and over 12 %. About a minute."""
import shutil

import points

FULL = (10_000, 30_000, 100_000, 300_000, 1_000_000)
SMOKE = (1_000, 2_000, 4_000)
BUILD, SEARCH, FILTERED = "the index", "the 100 best of all articles, 1 core", "the 100 best of 12 % of the articles, 1 core"


def main():
    options = points.arguments(__doc__)
    record = points.Record(options)
    record.series(BUILD, "articles", (10_000_000,))
    record.series(SEARCH, "articles", (10_000_000,))
    record.series(FILTERED, "articles", (10_000_000,))
    folder = points.scratch(options, "words")
    try:
        articles, source = points.articles_table(options, folder)
        for rows in points.sizes(options, FULL, SMOKE):
            if all(record.has(name, rows) for name in (BUILD, SEARCH, FILTERED)):
                continue
            record.forget(rows)
            one = points.json_lines(points.run([points.program(options, "growth_words_bench"), "--articles", articles, "--rows", rows,
                                                "--queries", 100 if options.smoke else 1000]))[0]
            record.add(BUILD, rows, {"build_s": one["build_s"], "index_mb": one["index_mb"], "catalogue_mb": one["catalogue_mb"],
                                     "resident_mb": one["resident_mb"], "words": one["words"]})
            record.add(SEARCH, rows, {"p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"]})
            record.add(FILTERED, rows, {"p50_ms": one["filtered_p50_ms"], "p99_ms": one["filtered_p99_ms"]})
    finally:
        shutil.rmtree(folder)
    record.note(f"Articles are made up of the words of {source}. Products beyond its number bring new words at the rate at which its last "
                "tenth does. Queries are 1 to 6 neighbouring words of the articles; a query's time is the best of three.")
    record.write()


if __name__ == "__main__":
    main()
