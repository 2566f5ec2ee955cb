"""What the runners share: where things are, how our programs are run, taking turns, and the file of a finished runner.

Standard library only: the tables are made without any package.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "rivals"
NOT_TO_BE_HAD = 3  # exit code of a runner whose rival or data is not on this machine


def cannot(why):
    """Ends the runner: it has nothing to compare with here."""
    print(f"cannot: {why}", file=sys.stderr)
    sys.exit(NOT_TO_BE_HAD)


def arguments(description):
    """The parser of a runner's command line; run.py gives the same options to all."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the file of the figures")
    return parser


def add_options(parser):
    shared = pathlib.Path(os.environ.get("SCALESTYLE_SHARED", ROOT.parent / "shared")) / "data" / "hm"
    models = os.environ.get("SCALESTYLE_MODELS") or os.path.expanduser("~/.cache/scalestyle/models")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="folder of our programs")
    parser.add_argument("--work", type=pathlib.Path, default=WORK, help="folder of the rivals and of what they build")
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path(models))
    parser.add_argument("--data", type=pathlib.Path, help="a ready data folder of --articles; made when not given")
    parser.add_argument("--articles", type=pathlib.Path, default=shared / "articles.parquet", help="articles table (Parquet or CSV)")
    parser.add_argument("--search", type=pathlib.Path, default=shared / "search", help="folder of queries.jsonl and qrels.tsv")
    parser.add_argument("--repeats", type=positive, default=3, help="turns of each side; figures are medians over them")
    parser.add_argument("--brief", action="store_true",
                        help="a small fixed sample without PyTorch's packages, for make bench; kept apart from the full figures")
    parser.add_argument("--smoke", action="store_true", help="seconds only, to see that it works; the figures are worth nothing")


def positive(text):
    value = int(text)
    if not 1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{value} is not in 1 … 100")
    return value


def program(options, name):
    path = options.build / name
    if not path.exists():
        cannot(f"{path} is not built: scripts/build.sh release {name}")
    return str(path)


def run(command, environment=None):
    """Standard output of a program of ours, which fails the runner when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def take_turns(repeats, sides):
    """{side: {cell: [a figure of each turn]}}. `sides` are {name: function that measures all its cells once}; who begins changes
    with each turn, so that a machine that gets slower or faster does not favour one."""
    found = {name: {} for name in sides}
    names = list(sides)
    for turn in range(repeats):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            for cell, value in sides[name]().items():
                found[name].setdefault(cell, []).append(value)
            print(f"turn {turn + 1} of {repeats}: {name}", flush=True)
    return found


def best_seconds(budget, call, clock=time.perf_counter):
    """The least time of repeated calls, as our benchmark programs take it."""
    call()
    best, end = float("inf"), time.perf_counter() + budget
    while True:
        start = clock()
        call()
        best = min(best, clock() - start)
        if time.perf_counter() >= end:
            return best


def percentile(values, share):
    """Nearest rank: the same as the load generator's."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def row(work, rival, unit, figures, quality=("", ""), more_is_better=False):
    """One comparison: figures are (ours, the rival's), each a list with one value of every turn."""
    ours, theirs = figures
    return {"work": work, "rival": rival, "unit": unit, "more_is_better": more_is_better, "ours": list(ours), "theirs": list(theirs),
            "ours_quality": quality[0], "theirs_quality": quality[1]}


def ratio(one):
    """How many times better we are: above 1 we are."""
    ours, theirs = statistics.median(one["ours"]), statistics.median(one["theirs"])
    return ours / theirs if one["more_is_better"] else theirs / ours


def cpu_flags():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def sums_saturate():
    """Without the instruction for it the sum of two products of bytes is cut at 16 bits; weights of seven bits are not cut."""
    return not cpu_flags() & {"avx512_vnni", "avx_vnni"}


def machine(options):
    lines = run([program(options, "scalestyle"), "doctor"]).splitlines() if (options.build / "scalestyle").exists() else []
    said = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in lines if line.startswith(("CPU ", "kernels "))}
    return {"cpu": said.get("CPU", platform.processor() or platform.machine()), "kernels": said.get("kernels", ""),
            "cores": os.cpu_count(), "system": platform.release(), "load_before": round(os.getloadavg()[0], 2)}


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False).stdout.strip()
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")


class Record:
    """What a runner has found, written as one file when it is whole."""

    def __init__(self, options, versions):
        self.document = {"machine": machine(options), "date": datetime.date.today().isoformat(), "commit": commit(),
                         "smoke": options.smoke, "brief": options.brief, "repeats": options.repeats, "versions": versions, "notes": [], "rows": []}
        self.started = time.monotonic()

    def add(self, *words, **named):
        one = row(*words, **named)
        self.document["rows"].append(one)
        print(f"{one['work']}: ours {statistics.median(one['ours']):.4g}, {one['rival']} {statistics.median(one['theirs']):.4g} "
              f"{one['unit']}, ratio {ratio(one):.2f}", flush=True)

    def note(self, text):
        self.document["notes"].append(text)
        print(text, flush=True)

    def write(self, path):
        self.document["seconds"] = round(time.monotonic() - self.started)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(self.document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)


def version(package):
    from importlib import metadata
    return metadata.version(package)
