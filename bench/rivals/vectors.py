"""The 100 nearest of 105,542 × 384 vectors, one query at a time on one thread: our exact scan beside FAISS (flat f32; eight-bit codes
rescored in f32; HNSW), hnswlib and USearch (HNSW), and FAISS with 12 % of the rows eligible. A graph's breadth is the least of a list
with which recall reaches 0.99; what it was and how long the graph took to build is in the row. Queries are rows of the collection, disturbed.
The vectors are those of --data, or made up around centres with a common component. With --brief the first 20,000 of them, without
USearch.
Not compared: a filter in hnswlib and USearch, whose Python interfaces call back into Python for each candidate, or have none."""
import pathlib
import re
import struct
import time
import zlib

import numpy as np

import runs

K, ROWS, DIMENSION, QUERIES, SHARE = 100, 105_542, 384, 256, 0.12
BRIEF_ROWS, BRIEF_QUERIES = 20_000, 128
WANTED_RECALL = 0.99
BREADTHS = (100, 150, 200, 300, 400, 600, 800, 1200)
CONNECTIONS, BUILD_BREADTH = 16, 200


def made_up(rows, seed=7):
    random = np.random.default_rng(seed)
    centres = random.standard_normal(DIMENSION) + 0.55 * random.standard_normal((1000, DIMENSION))
    values = centres[random.integers(0, 1000, rows)] + 0.45 * random.standard_normal((rows, DIMENSION))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def write_vectors(path, values):
    """docs/formats/vectors.md."""
    body = values.astype("<f4").tobytes()
    head = struct.pack("<8sIIQQI", b"SSVECF32", 1, values.shape[1], values.shape[0], len(body), zlib.crc32(body))
    whole = head + struct.pack("<I", 0) + bytes(24)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + struct.pack("<I", zlib.crc32(whole)) + bytes(24) + body)


def read_vectors(path):
    head = path.open("rb").read(64)
    magic, version, dimension, rows = struct.unpack_from("<8sIIQ", head)
    if (magic, version) != (b"SSVECF32", 1):
        raise RuntimeError(f"{path} is no vectors.f32 of version 1")
    return np.fromfile(path, np.dtype("<f4"), rows * dimension, offset=64).reshape(rows, dimension)


def vectors_of(data):
    """vectors.f32 of the current generation of a data folder."""
    return data / "generations" / (data / "CURRENT").read_text(encoding="utf-8").split()[0] / "vectors.f32"


def queries_like(values, count):
    random = np.random.default_rng(5)
    noise = 0.5 / np.sqrt(values.shape[1]) * random.standard_normal((count, values.shape[1]))
    queries = values[random.integers(0, len(values), count)] + noise
    return (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)


def nearest(values, queries, eligible=None):
    scores = queries @ values.T
    if eligible is not None:
        scores[:, ~eligible] = -np.inf
    return np.argpartition(-scores, K - 1, axis=1)[:, :K]


def recall(search, queries, truth):
    found = [len(set(map(int, search(query[None]))) & set(map(int, right))) for query, right in zip(queries, truth)]
    return sum(found) / truth.size


def time_all(search, queries, seconds):
    """Median and 99th percentile of the times of single queries, ms."""
    times, end, index = [], time.perf_counter() + seconds, 0
    while index < 16 or time.perf_counter() < end:
        query = queries[index % len(queries)][None]
        start = time.perf_counter()
        search(query)
        times.append(1e3 * (time.perf_counter() - start))
        index += 1
    return {"p50": runs.percentile(times, 0.5), "p99": runs.percentile(times, 0.99)}


def kept(path, build, load, save):
    """An index of build/rivals/cache, built when it is not there; (index, seconds it took then)."""
    seconds = path.with_suffix(path.suffix + ".seconds")
    if not (path.exists() and seconds.exists()):
        path.parent.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        index = build()
        took = time.perf_counter() - start
        save(index, str(path))
        seconds.write_text(f"{took:.1f}", encoding="ascii")
        return index, took
    return load(str(path)), float(seconds.read_text(encoding="ascii"))


class Graph:
    """A graph index with a breadth; `set_breadth` and `search` as the library has them."""

    def __init__(self, index, seconds, set_breadth, search):
        self.index, self.seconds, self.set_breadth, self.search = index, seconds, set_breadth, search

    def reach(self, queries, truth):
        """The quality with the least breadth that reaches the recall, or with the greatest."""
        for breadth in BREADTHS:
            self.set_breadth(breadth)
            got = recall(self.search, queries, truth)
            if got >= WANTED_RECALL:
                break
        return f"recall {got:.3f}, breadth {breadth}, built in {self.seconds:.0f} s"


def faiss_graph(values, cache):
    import faiss

    def build():
        index = faiss.IndexHNSWFlat(values.shape[1], CONNECTIONS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BUILD_BREADTH
        index.add(values)
        return index
    index, seconds = kept(cache / "faiss.hnsw", build, faiss.read_index, faiss.write_index)
    return Graph(index, seconds, lambda breadth: setattr(index.hnsw, "efSearch", breadth), lambda query: index.search(query, K)[1][0])


def hnswlib_graph(values, cache):
    import hnswlib

    def empty():
        return hnswlib.Index(space="ip", dim=values.shape[1])

    def build():
        index = empty()
        index.init_index(max_elements=len(values), M=CONNECTIONS, ef_construction=BUILD_BREADTH)
        index.add_items(values)
        return index

    def load(path):
        index = empty()
        index.load_index(path)
        return index
    index, seconds = kept(cache / "hnswlib.hnsw", build, load, lambda one, path: one.save_index(path))
    index.set_num_threads(1)
    return Graph(index, seconds, index.set_ef, lambda query: index.knn_query(query, K, num_threads=1)[0][0])


def usearch_graph(values, cache, kind):
    from usearch.index import Index

    def empty():
        return Index(ndim=values.shape[1], metric="ip", dtype=kind, connectivity=CONNECTIONS, expansion_add=BUILD_BREADTH)

    def build():
        index = empty()
        index.add(np.arange(len(values)), values)
        return index

    def load(path):
        index = empty()
        index.load(path)
        return index
    index, seconds = kept(cache / f"usearch.{kind}.hnsw", build, load, lambda one, path: one.save(path))
    return Graph(index, seconds, lambda breadth: setattr(index, "expansion_search", breadth),
                 lambda query: index.search(query[0], K, threads=1).keys)


def rescored(values):
    """FAISS's eight-bit codes with the exact vectors behind them, and what it is made of."""
    import faiss
    codes = faiss.IndexScalarQuantizer(values.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.train(values)
    codes.add(values)
    exact = faiss.IndexFlatIP(values.shape[1])
    exact.add(values)
    index = faiss.IndexRefine(codes, exact)
    return index, (codes, exact)  # FAISS keeps no reference to them


def flat_rivals(values, queries, truth, eligible, truth_eligible):
    """{name: (search, quality)} of the exact ones, without and with the filter."""
    import faiss
    flat = faiss.IndexFlatIP(values.shape[1])
    flat.add(values)
    refined, parts = rescored(values)
    for factor in (1.1, 1.5, 2, 3, 4):
        refined.k_factor = factor
        got = recall(lambda query: refined.search(query, K)[1][0], queries, truth)
        if got >= 0.999:
            break
    chosen = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(eligible, bitorder="little")))
    filtered = lambda query: flat.search(query, K, params=chosen)[1][0]  # noqa: E731
    return {
        "FAISS flat f32": (lambda query: flat.search(query, K)[1][0], "recall 1.000", False),
        "FAISS int8, rescored": (lambda query, _=parts: refined.search(query, K)[1][0], f"recall {got:.4f}, {factor} k candidates", False),
        "FAISS flat f32, filtered": (filtered, f"recall {recall(filtered, queries, truth_eligible):.3f}", True),
    }


def filtered_graph(graph, queries, truth, eligible):
    import faiss
    chosen = faiss.IDSelectorBitmap(np.packbits(eligible, bitorder="little"))
    for breadth in BREADTHS:
        settings = faiss.SearchParametersHNSW(sel=chosen, efSearch=breadth)
        search = lambda query: graph.index.search(query, K, params=settings)[1][0]  # noqa: B023, E731
        got = recall(search, queries, truth)
        if got >= WANTED_RECALL:
            break
    return lambda query: graph.index.search(query, K, params=settings)[1][0], f"recall {got:.3f}, breadth {breadth}", True


def ours(options, path, seconds):
    """{(filtered, p50 or p99): ms} of scan_bench, which fails where an answer is not exact."""
    said = runs.run([runs.program(options, "scan_bench"), "--vectors", path, "--k", K, "--batch", 1, "--threads", 1, "--seconds", seconds])
    cells = {}
    for line in said.splitlines():
        found = re.match(r"\s*100\s+([\d.]+)%\s+1\s+1\s+[\d.]+\s+[\d.]+\s+([\d.]+)\s+([\d.]+)", line)
        if found and found[1] in ("100.0", "12.0"):
            for quantile, text in (("p50", found[2]), ("p99", found[3])):
                cells[found[1] == "12.0", quantile] = float(text)
    return cells


def sample(options, record, cache):
    """The file of the vectors and they themselves."""
    path, rows = cache / "vectors.f32", 3_000 if options.smoke else BRIEF_ROWS if options.brief else ROWS
    if options.data and not options.smoke:
        whole = vectors_of(options.data)
        record.note(f"Vectors of {whole.parent.name}.")
        if not options.brief:
            return whole, read_vectors(whole)
        write_vectors(path, read_vectors(whole)[:rows])
    else:
        record.note("Vectors made up around 1,000 centres.")
        if not path.exists():
            write_vectors(path, made_up(rows))
    return path, read_vectors(path)


def main():
    import faiss
    options = runs.arguments(__doc__).parse_args()
    seconds = 0.2 if options.smoke else 0.6 if options.brief else 3
    cache = options.work / "cache" / ("smoke" if options.smoke else "brief" if options.brief else "vectors")
    record = runs.Record(options, {name: runs.version(name) for name in ("faiss-cpu", "hnswlib", *(() if options.brief else ("usearch",)),
                                                                         "numpy")})
    if options.brief and not options.smoke:
        cache = cache / ("given" if options.data else "made-up")
    path, values = sample(options, record, cache)
    cache = cache / f"{zlib.crc32(values[:64].tobytes()):08x}-{len(values)}"
    queries = queries_like(values, 16 if options.smoke else BRIEF_QUERIES if options.brief else QUERIES)
    eligible = np.random.default_rng(99).random(len(values)) < SHARE
    truth, truth_eligible = nearest(values, queries), nearest(values, queries, eligible)
    faiss.omp_set_num_threads(2)
    graphs = {"FAISS HNSW": faiss_graph(values, cache), "hnswlib": hnswlib_graph(values, cache)}
    if not options.brief:
        graphs |= {"USearch f32": usearch_graph(values, cache, "f32"), "USearch int8": usearch_graph(values, cache, "i8")}
    faiss.omp_set_num_threads(1)
    rivals = flat_rivals(values, queries, truth, eligible, truth_eligible)
    rivals |= {name: (graph.search, graph.reach(queries, truth), False) for name, graph in graphs.items()}
    rivals["FAISS HNSW, filtered"] = filtered_graph(graphs["FAISS HNSW"], queries, truth_eligible, eligible)
    sides = {name: lambda one=one: time_all(one[0], queries, seconds) for name, one in rivals.items()}
    sides["ours"] = lambda: ours(options, path, seconds)
    found = runs.take_turns(options.repeats, sides)
    for name, (_, quality, is_filtered) in rivals.items():
        for quantile in ("p50", "p99"):
            work = f"100 nearest of {len(values):,}" + (", 12 % eligible" if is_filtered else "") + f", {quantile}"
            record.add(work, name, "ms", (found["ours"][is_filtered, quantile], found[name][quantile]), ("recall 1.000", quality))
    record.write(options.out)


if __name__ == "__main__":
    main()
