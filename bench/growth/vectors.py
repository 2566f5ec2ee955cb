"""The exact scan of 10 k … 10 M made-up vectors of 384 numbers: the int8 form in memory, f32 rows rescored from a mapped file, the 100
nearest, one client, every row or 12 % of them, one core and two. The file grows from size to size, to 15.4 GB, and is removed at the end.
About 6 minutes, most of it for the largest."""
import os
import shutil

import points

FULL = (10_000, 30_000, 105_542, 300_000, 1_000_000, 3_000_000, 10_000_000)
SMOKE = (1_000, 2_000, 4_000)
BEYOND = (30_000_000, 100_000_000)
DIMENSION = 384
SERIES = {(share, cores): f"exact scan, {rows}, {cores} core{'s' * (cores > 1)}"
          for share, rows in ((1.0, "every row"), (0.12, "12 % eligible")) for cores in (1, 2)}

MEMORY = "exact scan, memory"


def need_memory(rows):
    """Ends the runner when the int8 form, twice while it is made, does not fit."""
    wanted = 2 * rows * (DIMENSION + 16) + 2**28
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with open("/proc/meminfo", encoding="ascii") as lines:
        free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), free)
    if free < wanted:
        points.cannot(f"{free / 1e9:.1f} GB of memory are free, {wanted / 1e9:.1f} are needed for {rows:,} vectors: measure less with --most")


def measure(options, record, folder, rows):
    seconds = 0.1 if options.smoke else 2
    said = points.json_lines(points.run([points.program(options, "growth_vectors_bench"), "--file", folder / "made_up.f32", "--rows", rows,
                                         "--seconds", seconds]))
    for one in said:
        record.add(SERIES[one["share"], one["cores"]], rows, {
            "p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"], "recall": one["recall"]})
    most = max(said, key=lambda one: one["resident_mb"])
    record.add(MEMORY, rows, {"memory_mb": most["resident_anonymous_mb"], "resident_mb": most["resident_mb"], "mapped_mb": most["mapped_mb"]})


def main():
    options = points.arguments(__doc__)
    sizes = points.sizes(options, FULL, SMOKE)
    record = points.Record(options)
    names = [*SERIES.values(), MEMORY]
    for name in names:
        record.series(name, "vectors", BEYOND)
    left = [rows for rows in sizes if not all(record.has(name, rows) for name in names)]
    if left:
        points.need_disk(options.work, 4 * DIMENSION * max(left))
        need_memory(max(left))
    folder = points.scratch(options, "vectors")
    try:
        for rows in left:
            record.forget(rows)
            measure(options, record, folder, rows)
    finally:
        shutil.rmtree(folder)
    record.note("Vectors are made up, around 1,000 centres with a common component. memory: of the process's own, mostly the int8 form; "
                "resident: also those f32 rows, mapped from the file, that the kernel keeps for it, which it can take back.")
    record.write()


if __name__ == "__main__":
    main()
