#!/usr/bin/env python3
"""usage: run.py [RUNNER…] [--again] [options]

Measures ours beside the rivals, a runner after the other: encoder, vectors, gemm, words, service, clicks, or those that are named. A
runner that has finished leaves build/rivals/results/RUNNER.json and is not run a second time, so that a run which was interrupted goes
on; --again forgets those files. One that fails or has no rival here does not keep the others from running. Then the tables are
printed; bench/rivals/tables.py puts them into docs/rivals.md. setup.sh comes first. Exit code: 0 all have finished or cannot be had
here, 1 one failed.
"""
import argparse
import pathlib
import subprocess
import sys

import runs
import tables

HERE = pathlib.Path(__file__).resolve().parent
PASSED_ON = ("build", "work", "models", "data", "articles", "search", "repeats")


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runners", nargs="*", metavar="RUNNER", help=", ".join(tables.TITLES))
    parser.add_argument("--again", action="store_true", help="measure what has been measured too")
    runs.add_options(parser)
    options = parser.parse_args(words)
    unknown = set(options.runners) - set(tables.TITLES)
    if unknown:
        parser.error(f"no runner {', '.join(sorted(unknown))}; there are {', '.join(tables.TITLES)}")
    for name in ("build", "work", "models", "data", "articles", "search"):
        if getattr(options, name) is not None:
            setattr(options, name, getattr(options, name).absolute())
    return options


def results_folder(options):
    """Smoke and brief figures lie elsewhere: they never get into the full figures' tables."""
    return options.work / ("results-smoke" if options.smoke else "results-brief" if options.brief else "results")


def command(options, name):
    words = [options.work / "venv" / "bin" / "python", "-B", HERE / f"{name}.py", "--out", results_folder(options) / f"{name}.json"]
    for option in PASSED_ON:
        value = getattr(options, option)
        if value is not None:
            words += [f"--{option}", value]
    return [str(word) for word in words + [f"--{name}" for name in ("smoke", "brief") if getattr(options, name)]]


def run_one(options, name):
    """done, kept, missing or failed."""
    out = results_folder(options) / f"{name}.json"
    if options.again:
        out.unlink(missing_ok=True)
    if out.exists():
        return "kept"
    code = subprocess.run(command(options, name), check=False).returncode
    if code == runs.NOT_TO_BE_HAD:
        return "missing"
    return "done" if code == 0 and out.exists() else "failed"


SAID = {"done": "done", "kept": "was measured before; --again repeats it", "missing": "left out, see above", "failed": "FAILED"}


def main(words=None):
    options = parse(words)
    if not (options.work / "venv" / "bin" / "python").exists():
        print("run.py: the rivals are not set up: bench/rivals/setup.sh", file=sys.stderr)
        return 2
    outcomes = {}
    for name in options.runners or tables.TITLES:
        print(f"== {name}", flush=True)
        outcomes[name] = run_one(options, name)
    for name, outcome in outcomes.items():
        print(f"{name}: {SAID[outcome]}")
    if not options.smoke and not options.brief:
        print(tables.documentation(tables.read_results(results_folder(options))))
    return int("failed" in outcomes.values())


if __name__ == "__main__":
    sys.exit(main())
