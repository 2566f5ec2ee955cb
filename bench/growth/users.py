"""The embedded feature store with 10 k … 1 M users of ten events each: memory, applying an event, reading a user, checkpoint, load.
About 3 minutes."""
import shutil

import points

FULL = (10_000, 30_000, 100_000, 300_000, 1_000_000)
SMOKE = (1_000, 2_000, 4_000)
NAME = "users with ten events each"


def main():
    options = points.arguments(__doc__)
    record = points.Record(options)
    record.series(NAME, "users", (10_000_000,), told=("memory_mb", "a_user_bytes", "disk_mb"))
    folder = points.scratch(options, "users")
    try:
        for users in points.sizes(options, FULL, SMOKE):
            if record.has(NAME, users):
                continue
            one = points.json_lines(points.run([points.program(options, "features_bench"), users, folder / "store", "--json"]))[0]
            seen = one["users"]  # users are drawn at random: of n with ten events each, one in 22,000 has none
            record.add(NAME, users, {"memory_mb": one["heap_bytes"] / 1e6, "users_mb": one["users_bytes"] / 1e6,
                                     "a_user_bytes": one["users_bytes"] / seen, "read_ns": one["read_ns"], "apply_ns": one["apply_ns"],
                                     "checkpoint_s": one["checkpoint_s"], "load_s": one["load_s"], "disk_mb": one["file_bytes"] / 1e6})
    finally:
        shutil.rmtree(folder)
    record.note("Memory: heap, with the popularity of items and the list of changes; like the file it follows no law of users alone, since "
                "items are at most 105,542. Users: their share of the accounted memory. Reading and applying: processor time of one thread.")
    record.write()


if __name__ == "__main__":
    main()
