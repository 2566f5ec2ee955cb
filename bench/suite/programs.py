"""Measurements by one program each: {figure: …} of what it printed. A figure is named like its gate, where it has one."""
import pathlib

import common
import prepared
from common import Failed, NoData, figure, json_lines, median, only

LEAST_ROWS, MOST_ROWS = 12, 1280  # the gate's range
PRECISIONS = ("f32", "bf16", "int8")


def peaks(context):
    """Giga-operations/s of one core at the register peak, by precision: what other rows are scaled by. 0: no instruction for it."""
    head = json_lines(context.run([context.program("kernels_bench"), "--only", "peaks", "--json"]))[0]
    return {"f32": head["f32_fma"], "int8": head["int8"], "bf16": head["bf16_dot"]}


def kernels(context, _machine):
    """Products of the models' shapes, each against the peak of the same run."""
    command = [context.program("kernels_bench"), "--only", "gemm", "--json", "--peaked", "--most-rows", MOST_ROWS, "--seconds-per-cell",
               context.seconds(0.03)]
    _, *cells = json_lines(context.run(command))
    found = {}
    for precision in PRECISIONS:
        mine = [one for one in cells if one["kernel"] == f"gemm_{precision}" and LEAST_ROWS <= one["rows"] <= MOST_ROWS]
        if not mine:
            found |= {f"gemm_{precision}_{name}": {"no_data": f"this processor has no instruction for {precision}"}
                      for name in ("one", "two", "least")}
            continue
        one, two = ([100 * cell[name] / (threads * cell["peak"]) for cell in mine]
                    for threads, name in ((1, "gops"), (2, "gops_two_threads")))
        least = min(range(len(mine)), key=one.__getitem__)
        note = f"peak {mine[0]['peak']:.0f} GOP/s a core"
        where = f"M = {mine[least]['rows']}, {mine[least]['in']} × {mine[least]['out']}"
        found |= {f"gemm_{precision}_one": figure(sum(one) / len(one), command, note),
                  f"gemm_{precision}_two": figure(sum(two) / len(two), command, note),
                  f"gemm_{precision}_least": figure(one[least], command, where)}
    return found


def encoder(context, _machine):
    folder = context.models / "bge-small-en-v1.5"
    if not folder.exists():
        raise NoData("bge-small-en-v1.5 is not installed: scalestyle models fetch")
    command = [context.program("encoder_bench"), "--model", folder, "--precision", "int8", "--json", "--seconds-per-cell", context.seconds(0.6)]
    rows = json_lines(context.run(command))
    query = only(rows, precision="int8", work="query", threads=1, tokens=14)
    cosine = next(row["least_cosine"] for row in rows if row.get("precision") == "int8" and "least_cosine" in row)
    documents = only(rows, work="document", threads=2)
    return {"bge_query": figure(query["ms"], command, f"cosine to f32 ≥ {cosine:.4f}; {query['percent_of_peak']:.0f} % of the peak",
                                arithmetic_ms=query["ms"] * query["percent_of_peak"] / 100),
            "cosine_int8": figure(cosine, command),
            "documents": figure(documents["per_second"], command, f"{documents['percent_of_peak']:.0f} % of the peak", unit="/s",
                                row="BGE-small, documents of 81 tokens in int8, two cores")}


def cross_encoder(context, name, gate, pairs):
    command = [context.program("rerank_bench"), "--model", name, "--precision", "int8", "--pairs", pairs, "--threads", 2, "--tau-pairs", 4,
               "--seconds-per-cell", context.seconds(1.5), "--json"]
    rows = json_lines(context.run(command))
    even, mixed = (only(rows, pairs=f"{pairs} {kind}", threads=2) for kind in ("even", "mixed"))
    tau = next(row["kendall_tau_random_weights"] for row in rows if "kendall_tau_random_weights" in row)
    quality = f"random weights, tau to f32 ≥ {tau:.2f}; {even['percent_of_peak']:.0f} % of the peak"
    return {gate: figure(even["p50_ms"], command, quality, arithmetic_ms=even["processor_ms"] * even["percent_of_peak"] / 100 / 2),
            f"{gate}_mixed": figure(mixed["p50_ms"], command, f"{mixed['tokens']:,} tokens", unit="ms",
                                    row=f"{'MiniLM-L6' if name == 'minilm' else 'bge-reranker-base'}, {pairs} pairs of 25 to 70 tokens, int8")}


def rerank_minilm(context, _machine):
    return cross_encoder(context, "minilm", "minilm_50", 50)


def rerank_base(context, _machine):
    return cross_encoder(context, "base", "base_20", 20)


def scan(context, _machine):
    data = context.need_data()
    current = (data / "CURRENT").read_text(encoding="utf-8").strip()
    command = [context.program("scan_bench"), "--vectors", data / "generations" / current / "vectors.f32", "--k", 100, "--batch", 1,
               "--threads", 2, "--seconds", context.seconds(3), "--json"]
    rows = json_lines(context.run(command))
    found = {}
    for name, percent in (("scan", 100), ("scan_filtered", 12)):
        row = only(rows, k=100, eligible_percent=percent)
        found[name] = figure(row["p50_ms"], command, f"p50, two cores; p99 {row['p99_ms']:.2f}, recall {row['recall']:g}")
    return found


def words(context, _machine):
    command = [context.program("lexical_bench"), "--articles", context.hm("articles.parquet"), "--search", context.hm("search"), "--generated",
               100 if context.short else 3000, "--check", 8, "--json"]
    text = context.run(command)
    quality = next((line.split("nDCG@10 ")[1].split()[0] for line in text.splitlines() if line.startswith("as written")), "")
    found = {}
    for name, queries in (("judged", "development queries"), ("generated", "generated queries")):
        row = only(json_lines(text), queries=queries, k=100)
        for quantile in ("p50", "p99"):
            found[f"words_{name}_{quantile}"] = figure(row[f"{quantile}_ms"], command, f"nDCG@10 {quality}" if name == "judged" else "sampled answers exact")
    return found


def log(context, _machine):
    """The event log alone; the disk's own sync is measured before and after, in the same folder."""
    with common.temporary(context) as folder:
        command = [context.program("event_log_bench"), "--json", folder, 2 if context.short else 10, 2000, 5_000 if context.short else 100_000]
        rows = {row["name"]: row for row in json_lines(context.run(command))}
    sync = max(rows[f"fdatasync {when}"]["p99_ms"] for when in ("before", "after"))
    return {"log_p99": figure(rows["acknowledgement"]["p99_ms"], "event_log_bench", f"2 × fdatasync p99 of {sync:.2f} ms + 1", bound=2 * sync + 1)}


def pictures_model(context, _machine):
    command = [context.program("clip_bench"), "--model", prepared.clip(context), "--precision", "int8", "--seconds-per-cell",
               context.seconds(0.4), "--json"]
    rows = json_lines(context.run(command))
    return {f"clip_{work}": figure(only(rows, precision="int8", work=work, batch=1, threads=2)["ms"], command, "random weights", unit="ms",
                                   row=f"CLIP ViT-B/32 in int8, two cores, a {work}") for work in ("picture", "text")}


def language_model(context, _machine):
    command = [context.program("qwen2_bench"), "--precision", "int8", "--tokens", 2 if context.short else 8, "--json", "yes"]
    row = only(json_lines(context.run(command)), precision="int8", threads=2)
    note = f"of 4 layers with random weights; a prompt at {row['whole_prompt_tokens_per_second']:.0f} tokens/s"
    return {"language_model": figure(row["whole_tokens_per_second"], command, note, unit="tokens/s", row="Qwen2-1.5B's shape in int8, two cores")}


# Beside rivals: bench/rivals on small fixed samples. Medians over turns in which every side measures once.
RIVAL_GATES = {
    ("BGE-small, query of 14 tokens, one thread, int8", "ONNX Runtime int8"): "bge_query_ratio",
    ("MiniLM-L6's shape, 50 pairs of 25 to 70 tokens, two threads, int8", "ONNX Runtime int8"): "minilm_mixed_ratio",
}
NO_RIVAL = 3  # exit code of a runner whose rival is not on this machine


def rivals(context, runner):
    out = context.rivals / ("results-smoke" if context.short else "results-brief") / f"{runner}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    python = context.rivals / "venv" / "bin" / "python"
    if not python.exists():
        raise NoData("the rivals are not set up: bench/rivals/setup.sh --brief")
    here = pathlib.Path(__file__).resolve().parents[1] / "rivals" / f"{runner}.py"
    command = [python, "-B", here, "--out", out, "--brief", "--repeats", 1 if context.short else 3, "--build", context.build, "--work", context.rivals,
               "--models", context.models, *(["--data", context.data] if context.data else []), *(["--smoke"] if context.short else [])]
    said = context.run(command, good=(0, NO_RIVAL))
    if not out.exists():
        raise NoData(f"the rival of {runner} is not installed: {said.strip() or 'bench/rivals/setup.sh, without --brief'}")
    document = common.json.loads(out.read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {value}" for name, value in document["versions"].items())
    found = {"beside": [], "note": f"{versions}; medians of {document['repeats']} turns"}
    for row in document["rows"]:
        ours, theirs = median(row["ours"]), median(row["theirs"])
        ratio = ours / theirs if row["more_is_better"] else theirs / ours
        found["beside"].append({**{name: row[name] for name in ("work", "rival", "unit", "ours_quality", "theirs_quality")},
                                "ours": ours, "theirs": theirs, "ratio": ratio, "runner": runner})
        gate = RIVAL_GATES.get((row["work"], row["rival"]))
        if gate:
            found[gate] = figure(ratio, f"bench/rivals/run.py {runner} --brief", f"{row['ours_quality']} and {row['theirs_quality']}",
                                 rival=row["rival"], rival_value=f"{theirs:.3g} {row['unit']} to our {ours:.3g}")
    return found


def rival_encoder(context, _machine):
    return rivals(context, "encoder")


def rival_vectors(context, _machine):
    return rivals(context, "vectors")


def rival_products(context, _machine):
    return rivals(context, "gemm")
