#!/usr/bin/env python3
"""usage: run.py [RUNNER…] [--again] [options]

Measures what each part costs as it grows, a runner after the other, or those that are named. A runner that has finished leaves
build/growth/results/RUNNER.json and is not run a second time; one that was interrupted goes on behind its last point; --again forgets
both. One that fails or lacks something here does not keep the others from running. bench/growth/tables.py puts the figures and their
laws into docs/growth.md. Exit code: 0 all have finished or cannot be had here, 1 one failed.
"""
import argparse
import subprocess
import sys

import points
import tables

PASSED_ON = ("build", "work", "articles", "most")
SAID = {"done": "done", "kept": "was measured before; --again repeats it", "missing": "left out, see above", "failed": "FAILED"}


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runners", nargs="*", metavar="RUNNER", help=", ".join(tables.titles()))
    parser.add_argument("--again", action="store_true", help="measure what has been measured too")
    points.add_options(parser)
    options = parser.parse_args(words)
    unknown = set(options.runners) - set(tables.titles())
    if unknown:
        parser.error(f"no runner {', '.join(sorted(unknown))}; there are {', '.join(tables.titles())}")
    for name in ("build", "work", "articles"):
        if getattr(options, name) is not None:
            setattr(options, name, getattr(options, name).absolute())
    return options


def results_folder(options):
    """Smoke figures lie elsewhere: they never get into a table."""
    return options.work / ("results-smoke" if options.smoke else "results")


def command(options, name):
    words = [sys.executable, "-B", points.HERE / f"{name}.py", "--out", results_folder(options) / f"{name}.json"]
    for option in PASSED_ON:
        value = getattr(options, option)
        if value is not None:
            words += [f"--{option}", value]
    return [str(word) for word in words + (["--smoke"] if options.smoke else [])]


def run_one(options, name):
    """done, kept, missing or failed."""
    out = results_folder(options) / f"{name}.json"
    if options.again or options.smoke:
        out.unlink(missing_ok=True)
        out.with_suffix(".part").unlink(missing_ok=True)
    if out.exists():
        return "kept"
    code = subprocess.run(command(options, name), check=False).returncode
    if code == points.NOT_TO_BE_HAD:
        return "missing"
    return "done" if code == 0 and out.exists() else "failed"


def main(words=None):
    options = parse(words)
    outcomes = {}
    for name in options.runners or tables.titles():
        print(f"== {name}", flush=True)
        outcomes[name] = run_one(options, name)
    for name, outcome in outcomes.items():
        print(f"{name}: {SAID[outcome]}")
    return int("failed" in outcomes.values())


if __name__ == "__main__":
    sys.exit(main())
