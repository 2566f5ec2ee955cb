#!/usr/bin/env python3
"""usage: bench_mixed.py DATA --photos DIR [--vision-model DIR] [--reranker DIR] [--articles FILE] [--seconds 25] [--write-docs] [serve options…]
       bench_mixed.py --smoke

What shoppers do, mixed: 70 % searches by words, 15 % by picture, 10 % by both, 5 % clicks, with unique queries and pictures and with
ones drawn by Zipf's law (exponent 1, 1,000 different ones), at 1, 10, 25 and 100 clients in closed loop (who is refused comes back after a
second, as Retry-After says), then in open loop at half of the most whole answers a second that a closed loop got without refusals. Prints tables; --write-docs puts them between the markers of docs/performance.md.

An answer is whole where it is not degraded: rates and latencies are of whole ones. Refused: 503 or 429 with Retry-After. In full:
whole or degraded answers reranked as deep as was planned, which is what the machine affords in the time. Processor time is the
server's, for a request that was answered or refused; the generator's beside it.

Without --vision-model or --reranker: models of the shapes of ViT-B/32 and MiniLM-L6 with random weights. A DATA without vectors of
photos is ingested anew beside it (a copy): --articles names its table, DIR the photos; vectors of texts are taken over. About five
minutes in all by default. --smoke makes a small catalogue and takes a second a run: its figures mean nothing.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import serving

MIX = "text=70,image=15,hybrid=10,click=5"
KINDS = ("text", "image", "hybrid", "click")
CLIENTS = (1, 10, 25, 100)
DISTRIBUTIONS = ("unique", "zipf")
FEW_REFUSED = 0.02  # a load with more says nothing of what can be served
REST_SECONDS = 12  # what a crowd leaves behind at the door is over then
DOCUMENT = serving.ROOT / "docs/performance.md"
BEGIN = "<!-- written by scripts/bench_mixed.py --write-docs -->\n"
END = "<!-- end of what bench_mixed.py wrote -->\n"


def manifest_of(data):
    current = (pathlib.Path(data) / "CURRENT").read_text(encoding="ascii").strip()
    outer = json.loads((pathlib.Path(data) / "generations" / current / "manifest.json").read_text(encoding="utf-8"))
    manifest = outer["manifest"]
    return json.loads(manifest) if isinstance(manifest, str) else manifest


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr[-800:]}")


def with_photos(options, scratch):
    """A data folder that has vectors of photos."""
    manifest = manifest_of(options.data)
    if manifest.get("images"):
        return options.data
    if not options.articles:
        sys.exit(f"{options.data} has no vectors of photos: name its table with --articles, to have the photos ingested too")
    folder = serving.copy_of(options.data)
    scratch.append(folder)
    # Vectors of texts are taken over where they are of the same model and precision.
    ingest(folder, options.articles, options, "--update", "--document-precision", manifest["encoder"]["precision"])
    return folder


def ingest(folder, articles, options, *more):
    run(serving.PROGRAMS / "scalestyle", "ingest", "--data", folder, "--articles", articles, "--images", options.photos,
        "--vision-enabled", "--vision-model", options.vision_model, *more)


def small_catalogue(options, scratch):
    made = pathlib.Path(tempfile.mkdtemp(prefix="scalestyle-bench-"))
    scratch.append(made)
    run(serving.PROGRAMS / "scalestyle", "sample", "--out", made / "sample", "--products", 12)
    options.photos = options.photos or made / "sample/images"
    ingest(made / "data", made / "sample/articles.csv", options)
    return made / "data"


def refused_share(report):
    return report["refused"] / max(1, report["whole"] + report["degraded"] + report["refused"])


def measure(data, distribution, options, serve_options):
    """[(load, report)] of one distribution on a server of its own."""
    common = ["--mix", MIX, "--images", options.photos, "--distribution", distribution, "--refusal-pause-ms", 1000]
    runs = []
    with serving.Server(data, "--vision-enabled", "--vision-model", options.vision_model, "--reranker", options.reranker,
                        *serve_options) as server:
        models = server.ready.get("models", "")
        seed = 1 if distribution == "unique" else 7  # by Zipf's law the same few are asked in every run
        server.load(*common, "--clients", 2, "--requests", 20 if options.smoke else 100, "--duration", 60, "--seed", 900)
        for clients in CLIENTS:
            report = server.load(*common, "--clients", clients, "--duration", options.seconds, "--seed", seed)
            runs.append((f"{clients} client" + ("s" if clients > 1 else ""), report))
            seed += distribution == "unique"
        most = max((report["whole_rps"] for _, report in runs if refused_share(report) < FEW_REFUSED), default=0)
        time.sleep(0 if options.smoke else REST_SECONDS)
        rate = max(1.0, round(most / 2, 1))
        report = server.load(*common, "--rate", rate, "--clients", 256, "--duration", options.seconds, "--seed", seed)
        runs.append((f"open loop, {rate}/s", report))
    return models, runs


def row(name, kind, one, seconds):
    answers = one["whole"] + one["degraded"]
    share = lambda part, whole: f"{100 * part / whole:.1f} %" if whole else "–"
    asked = answers + one["refused"] + one["errors"]
    latency = one["latency_ms"]
    times = " | ".join(f"{latency[p]:.1f}" if one["whole"] else "–" for p in ("p50", "p95", "p99"))
    full = share(one["reranked_in_full"], answers) if kind in ("text", "hybrid") else ""
    depth = f"{one['mean_rerank_depth']:.0f}" if one["reranked"] else ""
    return (f"| {name} | {kind} | {one['whole'] / seconds:.1f} | {times} | {one['errors']} | {share(one['refused'], asked)} "
            f"| {share(one['degraded'], answers)} | {full} | {depth} | |")


def table(runs):
    lines = ["| load | | whole/s | p50 ms | p95 ms | p99 ms | errors | refused | degraded | in full | rows | processor ms, server + generator |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    notes = []
    for name, report in runs:
        asked = report["whole"] + report["degraded"] + report["refused"] + report["errors"]
        lines.append(f"| **{name}** | all | {report['whole_rps']:.1f} | | | | {report['errors']} | {100 * report['refused'] / max(asked, 1):.1f} % "
                     f"| {100 * report['degraded'] / max(report['whole'] + report['degraded'], 1):.1f} % | | "
                     f"| {report['server_core_ms_a_request']:.1f} + {report['generator_core_ms_a_request']:.2f} |")
        lines += [row("", kind, report["kinds"][kind], report["seconds"]) for kind in KINDS]
        reasons, errors = {}, {}
        for kind in KINDS:
            for reason, count in report["kinds"][kind]["degraded_reasons"].items():
                reasons[reason] = reasons.get(reason, 0) + count
            for error, count in report["kinds"][kind]["error_kinds"].items():
                errors[error] = errors.get(error, 0) + count
        for what, counts in (("degraded", reasons), ("errors", errors)):
            if counts:
                listed = ", ".join(f"`{name}` {count}" for name, count in sorted(counts.items()))
                notes.append(f"- {name}, {what}: {listed}")
    return "\n".join(lines) + "\n" + ("\n" + "\n".join(notes) + "\n" if notes else "")


def text_of(measured, options, load_before):
    random_weights = [name for name, given in (("CLIP", options.own_vision), ("the cross-encoder", options.own_reranker)) if not given]
    lines = [f"{datetime.date.today():%d %B %Y}, {serving.described_machine()}; load of the machine before: {load_before:.2f}. Models: {measured['unique'][0]}."
             + (f" Random weights in true shapes: {' and '.join(random_weights)}." if random_weights else "")
             + f" {options.seconds} s a load, {MIX}; the load generator runs on the same cores.\n"]
    for distribution, title in (("unique", "Unique queries and pictures"), ("zipf", "Drawn by Zipf's law, exponent 1, 1,000 different ones")):
        lines.append(f"#### {title}\n{table(measured[distribution][1])}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--vision-model", dest="own_vision")
    parser.add_argument("--reranker", dest="own_reranker")
    parser.add_argument("--photos")
    parser.add_argument("--articles")
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--write-docs", action="store_true")
    options, serve_options = parser.parse_known_args()
    if options.smoke:
        options.seconds = 1
        if options.write_docs:
            sys.exit("figures of --smoke mean nothing: they are not written")
    elif not options.data or not options.photos:
        parser.error("DATA and --photos are needed")
    options.vision_model = options.own_vision or serving.random_model("clip_bench")
    options.reranker = options.own_reranker or serving.random_model("rerank_bench", "--model", "minilm")
    load_before = os.getloadavg()[0]
    scratch = []
    try:
        data = small_catalogue(options, scratch) if options.smoke and not options.data else with_photos(options, scratch)
        measured = {distribution: measure(data, distribution, options, serve_options) for distribution in DISTRIBUTIONS}
    finally:
        for folder in scratch:
            serving.remove(folder)
    text = text_of(measured, options, load_before)
    print(text)
    if options.write_docs:
        serving.write_between(DOCUMENT, BEGIN, END, text)
    errors = sum(report["errors"] for _, runs in measured.values() for _, report in runs)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
