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
    record.series(NAME, "events/s", told=("fdatasync_p50_ms", "fdatasync_p99_ms"))
    folder = points.scratch(options, "events")
    seconds, kept = (1, 1_000) if options.smoke else (10, 50_000)
    try:
        for rate in points.sizes(options, FULL, SMOKE):
            if record.has(NAME, rate):
                continue
            said = {one["name"]: one for one in points.json_lines(points.run([
                points.program(options, "event_log_bench"), "--json", folder, seconds, rate, kept])) if "name" in one}
            clicks, syncs = said["acknowledgement"], [said["fdatasync before"], said["fdatasync after"]]
            if clicks["count"] != rate * seconds:
                raise RuntimeError(f"{clicks['count']} clicks of {rate * seconds}")
            record.add(NAME, rate, {"p50_ms": clicks["p50_ms"], "p99_ms": clicks["p99_ms"],
                                    "fdatasync_p50_ms": max(one["p50_ms"] for one in syncs),
                                    "fdatasync_p99_ms": max(one["p99_ms"] for one in syncs)})
    finally:
        shutil.rmtree(folder)
    record.note(f"{seconds} s at each rate, with {kept:,} events in the log before; latency counts from the time at which a click was due; "
                "fdatasync is the worse of before and after.")
    record.write()


if __name__ == "__main__":
    main()
