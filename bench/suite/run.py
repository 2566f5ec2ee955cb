#!/usr/bin/env python3
"""usage: run.py [MEASUREMENT…] [--data FOLDER] [options]

`make bench`: a fixed list of measurements of bounded length, each a program of ours, some beside rivals; every figure to reach is a
gate. Writes build/bench/results.json, prints each gate, and exits with 1 where a figure is missed (and not accepted, or worse than
accepted: accepted.json), a measurement failed, or accepted.json is wrong. tables.py puts the results into docs/performance.md.

FOLDER is a ready data folder of the H&M catalogue; without it the rows that need the catalogue say "no data", and a sample serves for
clicks. The articles, queries and photos are those below $SCALESTYLE_SHARED/data/hm or ../shared/data/hm. Measurements that are
named are the only ones that run. --short takes seconds, to see that everything works: its figures are worth nothing and no table
takes them. A quiet machine, please: the load before each measurement is in the results.
"""
import argparse
import json
import os
import pathlib
import sys
import time

import common
import gates
import machine
import programs
import served

ROOT = machine.ROOT
LIMIT_SECONDS = 15 * 60
# In order: (name, what measures it, the seconds it may take at most). Their limits may exceed the whole's: few come near their own.
MEASUREMENTS = [
    ("kernels", programs.kernels, 60),
    ("encoder", programs.encoder, 45),
    ("rerank_minilm", programs.rerank_minilm, 45),
    ("rerank_base", programs.rerank_base, 90),
    ("scan", programs.scan, 25),
    ("words", programs.words, 40),
    ("search", served.search, 75),
    ("reranked_minilm", served.reranked_minilm, 45),
    ("reranked_base", served.reranked_base, 90),
    ("clicks", served.clicks, 60),
    ("log", programs.log, 30),
    ("pictures", served.pictures, 90),
    ("pictures_model", programs.pictures_model, 30),
    ("language_model", programs.language_model, 30),
    ("distributed", served.distributed, 100),
    ("rival_encoder", programs.rival_encoder, 300),
    ("rival_vectors", programs.rival_vectors, 90),
    ("rival_products", programs.rival_products, 90),
]
# A gate whose measurement had no data, or failed, says so.
GATES_OF = {
    "kernels": [gate.name for gate in gates.GATES if gate.name.startswith("gemm_")], "encoder": ["bge_query", "cosine_int8"],
    "rerank_minilm": ["minilm_50"], "rerank_base": ["base_20"], "scan": ["scan", "scan_filtered"],
    "words": [gate.name for gate in gates.GATES if gate.name.startswith("words_")],
    "search": ["search_p50", "search_p99", "search_16", "kept_p99", "ready", "memory"], "reranked_minilm": ["search_minilm"],
    "reranked_base": ["search_base"], "clicks": ["click_p99", "effect_p99"], "log": ["log_p99"], "pictures": ["picture_p50", "picture_p99"],
    "distributed": ["effect_distributed_p99"], "rival_encoder": ["bge_query_ratio", "minilm_mixed_ratio"],
}


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [name for name, _, _ in MEASUREMENTS]
    parser.add_argument("measurements", nargs="*", metavar="MEASUREMENT", help=", ".join(names))
    shared = pathlib.Path(os.environ.get("SCALESTYLE_SHARED") or ROOT.parent / "shared")
    models = os.environ.get("SCALESTYLE_MODELS") or os.path.expanduser("~/.cache/scalestyle/models")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "bench")
    parser.add_argument("--rivals", type=pathlib.Path, default=ROOT / "build" / "rivals")
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path(models))
    parser.add_argument("--shared", type=pathlib.Path, default=shared)
    parser.add_argument("--accepted", type=pathlib.Path, default=ROOT / "bench" / "suite" / "accepted.json")
    parser.add_argument("--short", action="store_true", help="a trial")
    options = parser.parse_args(words)
    unknown = set(options.measurements) - set(names)
    if unknown:
        parser.error(f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if options.data is not None and not (options.data / "CURRENT").exists():
        parser.error(f"{options.data} is no ready data folder: scalestyle ingest makes one")
    for name in ("data", "build", "work", "rivals", "models", "shared"):
        if getattr(options, name) is not None:
            setattr(options, name, getattr(options, name).absolute())
    return options


def measure(context, described, name, work):
    """(what the measurement found, how it went)."""
    started, load = time.monotonic(), machine.load()
    try:
        with common.temporary(context) as folder:
            if name == "distributed":  # names of sockets must be short
                context.environment.pop("TMPDIR", None)
            else:
                context.environment["TMPDIR"] = folder
            found, outcome = work(context, described), {}
    except common.NoData as why:
        found, outcome = {}, {"no_data": str(why)}
    except (common.Failed, OSError, KeyError, IndexError, ValueError) as why:
        found, outcome = {}, {"failed": f"{type(why).__name__}: {why}" if not isinstance(why, common.Failed) else str(why)}
    for gate in GATES_OF.get(name, ()):
        if gate not in found:
            found[gate] = outcome or {"failed": f"{name} did not give it"}
    return found, {"name": name, "seconds": round(time.monotonic() - started, 1), "load_before": load, **outcome}


def context_of(options):
    context = common.Context(options.build, options.work, options.rivals, options.models, options.shared, options.data, options.short)
    context.environment["SCALESTYLE_SHARED"] = str(options.shared)
    return context


def measure_all(options, context, described):
    started = time.monotonic()
    results = {"figures": {}, "beside": [], "measurements": []}
    for name, work, seconds in MEASUREMENTS:
        if options.measurements and name not in options.measurements:
            continue
        elapsed = time.monotonic() - started
        print(f"== {name} ({elapsed:.0f} s so far, at most {seconds} s)", flush=True)
        context.deadline = time.monotonic() + min(seconds, LIMIT_SECONDS - elapsed)
        found, outcome = measure(context, described, name, work)
        results["beside"] += found.pop("beside", [])
        if "note" in found:
            outcome["note"] = found.pop("note")
        results["figures"] |= found
        results["measurements"].append(outcome)
        for word in ("no_data", "failed"):
            if word in outcome:
                print(f"   {word.replace('_', ' ')}: {outcome[word]}", flush=True)
    results["seconds"] = round(time.monotonic() - started)
    return results


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def print_gates(rows):
    for row in rows:
        if row["value"] is None:
            print(f"{row['verdict'][:60]:>60}  {row['row']}")
            continue
        bound = f"{'≤' if row['direction'] == 'most' else '≥'} {number(row['bound'])}"
        scaled = f", here {number(row['scaled_bound'])}: {row['scaled_why']}; as written {row['as_written']}" if row["scaled_bound"] else ""
        print(f"{row['verdict'][:60]:>60}  {row['row']}: {number(row['value'])} {row['unit']} ({bound}{scaled})")


def exit_code(results):
    """1 where something is wrong: a gate, or a measurement that failed."""
    return int(any(row["is_error"] for row in results["gates"]) or any("failed" in one for one in results["measurements"]))


def main(words=None):
    options = parse(words)
    try:
        accepted = gates.read_accepted(options.accepted, ROOT / "docs" / "decisions")
    except gates.BadAcceptance as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    described, context = machine.describe(options.build / "scalestyle"), context_of(options)
    try:
        described["peaks"] = programs.peaks(context)
    except common.Failed as why:
        print(f"run.py: {why}", file=sys.stderr)
        return 1
    results = measure_all(options, context, described)
    rows = gates.judge_all(results["figures"], described, accepted)
    if options.measurements:
        rows = [row for row in rows if any(row["gate"] in GATES_OF.get(name, ()) for name in options.measurements)]
    results |= {"short": options.short, "partial": bool(options.measurements), "machine": described, "gates": rows,
                "catalogue": options.data.name if options.data else ""}
    options.work.mkdir(parents=True, exist_ok=True)
    out = options.work / "results.json"
    part = out.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(out)
    print_gates(rows)
    missed = sum(row["is_error"] for row in rows)
    print(f"{results['seconds']} s; {sum(row['verdict'] == 'met' for row in rows)} of {len(rows)} gates met, {missed} errors; {out}")
    return exit_code(results)


if __name__ == "__main__":
    sys.exit(main())
