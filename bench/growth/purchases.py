"""Finding what is bought together from 1 M … 20 M synthetic purchases of some 100,000 articles, on one thread. About 1.5 minutes."""
import points

FULL = (1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000)
SMOKE = (1_000, 3_000, 10_000)
NAME = "purchases of 23 a customer"


def main():
    options = points.arguments(__doc__)
    record = points.Record(options)
    record.series(NAME, "purchases", (100_000_000,), told=("result_mb",))
    for purchases in points.sizes(options, FULL, SMOKE):
        if record.has(NAME, purchases):
            continue
        one = points.json_lines(points.run([points.program(options, "neighbours_bench"), "--synthetic", purchases, "--check",
                                            20 if options.smoke else 0, "--json"]))[0]
        record.add(NAME, purchases, {"build_s": one["build_s"], "result_mb": one["memory_mb"], "peak_mb": one["peak_mb"],
                                     "neighbours": one["neighbours"]})
    record.note("Of 100,000 articles, from two million purchases on of 105,542; each keeps at most 50 neighbours. Peak: of the process.")
    record.write()


if __name__ == "__main__":
    main()
