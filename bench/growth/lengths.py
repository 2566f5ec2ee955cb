"""One text of 4 … 256 tokens through BGE-small in int8, on one core. About half a minute."""
import points

FULL = (4, 8, 16, 32, 64, 128, 256)
SMOKE = (4, 8, 16)
NAME = "BGE-small, int8, 1 core"


def main():
    options = points.arguments(__doc__)
    sizes = points.sizes(options, FULL, SMOKE)
    record = points.Record(options)
    record.series(NAME, "tokens", (512,))
    if not all(record.has(NAME, tokens) for tokens in sizes):
        for tokens in sizes:
            record.forget(tokens)
        for one in points.json_lines(points.run([
                points.program(options, "encoder_bench"), "--precision", "int8", "--tokens", ",".join(map(str, sizes)),
                "--seconds-per-cell", 0.05 if options.smoke else 2, "--json"])):
            if one.get("work") == "query":
                record.add(NAME, one["tokens"], {"encode_ms": one["ms"]})
    record.note("The least processor time of repeated calls.")
    record.write()


if __name__ == "__main__":
    main()
