"""A whole search over HTTP on one catalogue, by the same load generator: ours beside the usual Python service with ONNX Runtime in int8
(two processes of a thread each) and with PyTorch (one process, two threads), without and with a cross-encoder of MiniLM-L6's shape
over 50 pairs (the layers of all-MiniLM-L6-v2 and a random head: the same time, another order). Unique queries, kept by nobody;
servers are started anew for each turn. Memory is Pss of all the server's processes under load.
Quality: what was answered in full, and the degraded share; nDCG@10 of the judged queries without rerank."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import numpy as np

import catalogue
import runs
import vectors

CLIENTS = (1, 4, 16)
PATH = "/api/recommendation/search?query={query}&k=10"
OURS_TOO = "&rerank={rerank}&deadline_ms=10000"  # all 50 pairs, and time for them
START_SECONDS = 300


def make_head(options):
    """A cross-encoder of the true layers with a random head."""
    from safetensors.numpy import load_file, save_file
    source, folder = options.models / "all-MiniLM-L6-v2", options.work / "cache" / "minilm-head"
    if not (source / "model.safetensors").exists():
        runs.cannot(f"{source} is not installed: scalestyle models fetch all-MiniLM-L6-v2")
    if (folder / "model.safetensors").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    random, hidden = np.random.default_rng(1), 384
    tensors = {f"bert.{name}": value.astype(np.float32) for name, value in load_file(source / "model.safetensors").items()
               if not name.startswith("pooler.") and value.dtype.kind == "f"}
    for name, shape in (("bert.pooler.dense.weight", (hidden, hidden)), ("bert.pooler.dense.bias", (hidden,)),
                        ("classifier.weight", (1, hidden)), ("classifier.bias", (1,))):
        tensors[name] = (random.standard_normal(shape) / np.sqrt(hidden)).astype(np.float32)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config |= {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    shutil.copy(source / "tokenizer.json", folder / "tokenizer.json")
    save_file(tensors, folder / "model.safetensors")
    return folder


def data_folder(options):
    if options.data:
        return options.data
    folder = options.work / ("data-smoke" if options.smoke else "data")
    if not (folder / "CURRENT").exists():
        print("making a data folder of the articles (some minutes)", flush=True)
        runs.run([runs.program(options, "scalestyle"), "ingest", "--data", folder, "--articles", options.articles,
                  "--models", options.models])
    return folder


def make_graph(options, path):
    import faiss
    target, mark = options.work / "cache" / "service.hnsw", options.work / "cache" / "service.hnsw.of"
    if target.exists() and mark.exists() and mark.read_text(encoding="utf-8") == str(path):
        return
    values = vectors.read_vectors(path)
    index = faiss.IndexHNSWFlat(values.shape[1], vectors.CONNECTIONS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = vectors.BUILD_BREADTH
    index.add(values)
    target.parent.mkdir(parents=True, exist_ok=True)
    faiss.write_index(index, str(target))
    mark.write_text(str(path), encoding="utf-8")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def family(pid):
    """A process and its descendants."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    found = [pid]
    for child in children.read_text(encoding="ascii").split() if children.exists() else ():
        found += family(int(child))
    return found


def resident_mb(pid):
    kilobytes = 0
    for one in family(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as file:
            kilobytes += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return kilobytes / 1024


class Server:
    """A server that answers when the constructor returns."""

    def __init__(self, command, port, environment, log, processes):
        self.port, self.log = port, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            self.process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT,
                                            env={**os.environ, **environment})
        seen, until = 0, time.monotonic() + START_SECONDS
        while seen < processes:  # each process says that it has loaded
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
            time.sleep(0.1)
            seen = len(re.findall(r'"message":"ready"|Application startup complete', log.read_text(encoding="utf-8", errors="replace")))

    def ask(self, query):
        url = f"http://127.0.0.1:{self.port}{PATH.replace('{query}', urllib.parse.quote(query))}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return [one["article_id"] for one in json.load(answer)["data"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for one in reversed(family(self.process.pid)):
                os.kill(one, 9)
            self.process.wait(30)


class Sides:
    def __init__(self, options):
        self.options, self.data = options, data_folder(options)
        self.vectors = vectors.vectors_of(self.data)
        self.head, self.seed = make_head(options), 0
        make_graph(options, self.vectors)
        self.judged, self.grades = catalogue.judged(options.search)
        self.quality = {}

    def ours(self, rerank):
        port = free_port()
        command = [runs.program(self.options, "scalestyle"), "serve", "--data", self.data, "--models", self.options.models, "--port", port,
                   "--log-format", "json", "--list-cache-mb", 0, "--pair-cache-mb", 0, "--brownout=false",
                   "--reranker", self.head if rerank else "none", "--rerank-precision", "int8", "--rerank-depth", 50,
                   "--rerank-budget-ms", 10000]
        return Server(command, port, {}, self.options.work / "logs" / "ours.log", 1)

    def python(self, engine, processes, rerank):
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "python_service:app", "--app-dir", pathlib.Path(__file__).parent, "--port", port,
                   "--workers", processes, "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        environment = {"ENGINE": engine, "RERANK": "1" if rerank else "0", "THREADS": str(2 // processes),
                       "OMP_NUM_THREADS": str(2 // processes), "RIVALS_WORK": str(self.options.work), "RIVALS_MODELS": str(self.options.models),
                       "RIVALS_ARTICLES": str(self.options.articles), "RIVALS_VECTORS": str(self.vectors)}
        return Server(command, port, environment, self.options.work / "logs" / f"{engine}.log", processes)

    def measure(self, name, start, rerank):
        """All loads on a fresh server; {(clients, figure): value}."""
        cells, degraded = {}, 0.0
        seconds = 1 if self.options.smoke else (15 if rerank else 8)
        with start() as server:
            if not rerank and name not in self.quality:
                first = [server.ask(query) for _, query in self.judged]
                self.quality[name] = f"nDCG@10 {catalogue.mean_ndcg(first, self.judged, self.grades):.3f}"
            for clients in CLIENTS:
                self.seed = (self.seed + 1) % 1000
                command = [runs.program(self.options, "scalestyle-load"), "--port", server.port, "--clients", clients, "--seed", self.seed,
                           "--duration", seconds, "--warmup", clients * 2, "--deadline-ms", 60000, "--allow-degraded", "--json",
                           "--path-template", PATH + (OURS_TOO.format(rerank=50 if rerank else "false") if name == "ours" else "")]
                said = runs.json_lines(runs.run(command))[0]
                cells[clients, "answers/s"] = said["rps"]
                cells[clients, "p50"], cells[clients, "p99"] = said["latency_ms"]["p50"], said["latency_ms"]["p99"]
                degraded = max(degraded, said["degraded_share"])
            cells["memory"] = resident_mb(server.process.pid)
        self.quality[name, rerank] = max(degraded, self.quality.get((name, rerank), 0.0))
        return cells

    def shown(self, name, rerank):
        share = self.quality[name, rerank]
        return (f"{100 * share:.1f} % degraded" if share else "all in full") + ("" if rerank else f", {self.quality[name]}")


def main():
    options = runs.arguments(__doc__).parse_args()
    record = runs.Record(options, {name: runs.version(name) for name in ("fastapi", "uvicorn", "onnxruntime", "torch", "faiss-cpu", "tantivy")})
    sides = Sides(options)
    for rerank in (False, True):
        starts = {"ours": lambda: sides.ours(rerank),  # noqa: B023
                  "Python, ONNX Runtime int8": lambda: sides.python("onnxruntime", 2, rerank),  # noqa: B023
                  "Python, PyTorch": lambda: sides.python("torch", 1, rerank)}  # noqa: B023
        measures = {name: lambda name=name, start=start: sides.measure(name, start, rerank) for name, start in starts.items()}  # noqa: B023
        found = runs.take_turns(options.repeats, measures)
        kind = "search, 50 pairs reranked" if rerank else "search without rerank"
        for rival in [name for name in starts if name != "ours"]:
            quality = (sides.shown("ours", rerank), sides.shown(rival, rerank))
            for clients in CLIENTS:
                for figure, unit in (("answers/s", "/s"), ("p50", "ms"), ("p99", "ms")):
                    record.add(f"{kind}, {clients} client{'s' if clients > 1 else ''}, {figure}", rival, unit,
                               (found["ours"][clients, figure], found[rival][clients, figure]), quality, more_is_better=unit == "/s")
            record.add(f"{kind}, memory", rival, "MB", (found["ours"]["memory"], found[rival]["memory"]), quality)
    record.write(options.out)


if __name__ == "__main__":
    main()
