"""Durable acknowledgement of single clicks at 100 … 5,000 offered a second, open loop, beside the disk's own fdatasync in the same run.
About 2 minutes."""
import shutil

import points

FULL = (100, 300, 1_000, 2_000, 3_000, 5_000)
SMOKE = (100, 200, 400)
NAME = "clicks offered"


def main():
    options = points.arguments(__doc__)
    record = points.Record(options)
    record.series(NAME, "events/s", (20_000,))
    folder = points.scratch(options, "events")
    seconds, kept = (1, 1_000) if options.smoke else (10, 50_000)
    try:
        for rate in points.sizes(options, FULL, SMOKE):
            if record.has(NAME, rate):
                continue
            one = points.json_lines(points.run([points.program(options, "event_log_bench"), folder, seconds, rate, kept, "--json"]))[0]
            record.add(NAME, rate, {"p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"], "achieved_per_second": one["achieved_per_second"],
                                    "fdatasync_p50_ms": one["sync_p50_ms"], "fdatasync_p99_ms": one["sync_p99_ms"]})
    finally:
        shutil.rmtree(folder)
    record.note(f"{seconds} s at each rate, with {kept:,} events in the log before; latency counts from the time at which a click was due.")
    record.write()


if __name__ == "__main__":
    main()
