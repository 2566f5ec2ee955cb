"""Finding what is bought together from 100 k … 10 M synthetic purchases, on one thread. About half a minute."""
import points

FULL = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
SMOKE = (1_000, 3_000, 10_000)
NAME = "purchases of 23 a customer"


def main():
    options = points.arguments(__doc__)
    record = points.Record(options)
    record.series(NAME, "purchases", (100_000_000,))
    for purchases in points.sizes(options, FULL, SMOKE):
        if record.has(NAME, purchases):
            continue
        one = points.json_lines(points.run([points.program(options, "neighbours_bench"), "--synthetic", purchases, "--check",
                                            20 if options.smoke else 0, "--json"]))[0]
        record.add(NAME, purchases, {"build_s": one["build_s"], "result_mb": one["memory_mb"], "peak_mb": one["peak_mb"],
                                     "neighbours": one["neighbours"]})
    record.note("As many articles as a tenth of the purchases, and at most 105,542.")
    record.write()


if __name__ == "__main__":
    main()
