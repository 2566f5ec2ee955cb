"""A graph (HNSW, hnswlib) of 10 k … 1 M made-up vectors of 384 numbers, the same as those of the exact scan: time to build it on one core,
and of a query for the 100 nearest through it, one client, one core, every row or 12 % of them eligible; recall is of the exact scan's
answer. Every query walks, though a server would scan where that is cheaper. About 20 minutes, most of it building the largest."""
import shutil

import points

FULL = (10_000, 30_000, 105_542, 300_000, 1_000_000)
SMOKE = (1_000, 2_000, 4_000)
BEYOND = (3_000_000, 10_000_000)
DIMENSION = 384
BREADTH = 256
SERIES = {1.0: "graph, every row, 1 core", 0.12: "graph, 12 % eligible, 1 core"}
BUILDING = "graph, building, 1 core"


def measure(options, record, folder, rows):
    vectors = folder / "made_up.f32"
    points.run([points.program(options, "growth_vectors_bench"), "--file", vectors, "--rows", rows, "--make"])
    said = points.json_lines(points.run([points.program(options, "graph_bench"), "--vectors", vectors, "--rows", rows, "--k", 100,
                                         "--ef", BREADTH, "--shares", "1,0.12", "--queries", 20 if options.smoke else 1000]))
    built, walks = said[0], said[1:]
    record.add(BUILDING, rows, {"build_s": built["build_s"], "memory_mb": built["graph_mb"], "peak_mb": built["peak_mb"]})
    for one in walks:
        record.add(SERIES[one["share"]], rows, {
            "p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"], "memory_mb": built["graph_mb"] + built["quantized_mb"],
            "recall": one["recall"], "breadth": one["breadth"]})


def main():
    options = points.arguments(__doc__)
    sizes = points.sizes(options, FULL, SMOKE)
    record = points.Record(options)
    names = [BUILDING, *SERIES.values()]
    for name in names:
        record.series(name, "vectors", BEYOND)
    left = [rows for rows in sizes if not all(record.has(name, rows) for name in names)]
    if left:
        points.need_disk(options.work, 5 * DIMENSION * max(left))
    folder = points.scratch(options, "graph")
    try:
        for rows in left:
            record.forget(rows)
            measure(options, record, folder, rows)
    finally:
        shutil.rmtree(folder)
    record.note("memory: of building, the graph; of queries, the graph and the int8 form. peak: of the process that builds, with the int8 form "
                "and what it read of the mapped vectors.")
    record.write()


if __name__ == "__main__":
    main()
