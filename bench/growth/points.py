"""What the runners share: options, our programs, and the record of a runner, which goes on where an interrupted one ended.

Standard library only.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "rivals"))  # behind our own modules, of which some have the same names
import runs  # noqa: E402  (machine, programs: as for the rivals)

ROOT = runs.ROOT
WORK = ROOT / "build" / "growth"
NOT_TO_BE_HAD = runs.NOT_TO_BE_HAD
cannot, json_lines, program, run = runs.cannot, runs.json_lines, runs.program, runs.run


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, default=runs.ROOT / "build" / "release", help="folder of our programs")
    parser.add_argument("--work", type=pathlib.Path, default=WORK, help="folder of results and of what is made meanwhile")
    parser.add_argument("--articles", type=pathlib.Path, help="articles table for word statistics, by default H&M's, else a sample")
    parser.add_argument("--most", type=count, help="leave out larger sizes than this")
    parser.add_argument("--smoke", action="store_true", help="seconds only, to see that it works; the figures are worth nothing")


def arguments(description, words=None):
    """The options of a runner; run.py gives the same to all."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the file of the figures")
    return parser.parse_args(words)


def count(text):
    value = int(text)
    if not 1 <= value <= 10**12:
        raise argparse.ArgumentTypeError(f"{value} is not in 1 … 10^12")
    return value


def sizes(options, full, smoke):
    """Those of a run: `smoke` are small ones. Ends the runner when --most leaves none."""
    chosen = [n for n in (smoke if options.smoke else full) if options.most is None or n <= options.most]
    if not chosen:
        cannot(f"--most {options.most} leaves no size; the least is {min(smoke if options.smoke else full):,}")
    return chosen


def scratch(options, name):
    """An empty folder for what a runner makes; the runner removes it with `shutil.rmtree`."""
    folder = options.work / "scratch" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def need_disk(folder, size_bytes):
    """Ends the runner when the disk of `folder` has not so much free and a tenth more."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    wanted = size_bytes * 11 // 10
    if free < wanted:
        cannot(f"{folder} has {free / 1e9:.1f} GB free, {wanted / 1e9:.1f} are needed: {(wanted - free) / 1e9:.1f} GB are lacking; "
               "free them, name another disk with --work, or measure less with --most")


def commit():
    """As for the rivals, but that a changed document is no change of the program: a run writes one."""
    def git(*words):
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def articles_table(options, folder):
    """(table, what it is) whose words made-up articles have: --articles, else H&M's, else a sample that is made in `folder`."""
    if options.articles is not None:
        return options.articles, options.articles.name
    shared = pathlib.Path(os.environ.get("SCALESTYLE_SHARED", ROOT.parent / "shared"))
    table = shared / "data" / "hm" / "articles.parquet"
    if table.exists() and not options.smoke:
        return table, "H&M's catalogue"
    sample = folder / "words"
    if not sample.exists():
        run([program(options, "scalestyle"), "sample", "--out", sample, "--products", 100 if options.smoke else 2000])
        shutil.rmtree(sample / "images", ignore_errors=True)
    return sample / "articles.csv", "a sample catalogue"


class Record:
    """What a runner has found. Every point is kept at once, so that an interrupted runner goes on behind it."""

    def __init__(self, options):
        self.out, self.part = options.out, options.out.with_suffix(".part")
        self.document = {"machine": runs.machine(options), "date": runs.datetime.date.today().isoformat(), "commit": commit(),
                         "smoke": options.smoke, "most": options.most, "seconds": 0, "notes": [], "series": []}
        self.started = runs.time.monotonic()
        self.before = self.take_up()

    def take_up(self):
        """Takes the points of an interrupted run of the same program on the same machine; returns the seconds that they took."""
        try:
            kept = json.loads(self.part.read_text(encoding="utf-8"))
            same = all(kept[field] == self.document[field] for field in ("commit", "smoke", "most")) and \
                kept["machine"]["cpu"] == self.document["machine"]["cpu"]
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        if not same:
            return 0
        self.document = kept
        points = sum(len(one["points"]) for one in kept["series"])
        print(f"goes on behind {points} points of an interrupted run", flush=True)
        return kept["seconds"]

    def series(self, name, of, beyond=(), told=()):
        for one in self.document["series"]:
            if one["name"] == name:
                return one
        self.document["series"].append({"name": name, "of": of, "beyond": list(beyond), "told": list(told), "points": []})
        return self.document["series"][-1]

    def has(self, name, n):
        return any(one["name"] == name and any(point["n"] == n for point in one["points"]) for one in self.document["series"])

    def add(self, name, n, figures):
        """A point of a series that series() has made."""
        self.series(name, "")["points"].append({"n": n, "figures": figures})
        shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
        print(f"{name}, {n:,}: {shown}", flush=True)
        self.keep(self.part)

    def forget(self, n):
        """Drops the points at `n`, of which some series are lacking: they are measured together."""
        for one in self.document["series"]:
            one["points"] = [point for point in one["points"] if point["n"] != n]

    def note(self, text):
        if text not in self.document["notes"]:
            self.document["notes"].append(text)

    def keep(self, path):
        self.document["seconds"] = self.before + round(runs.time.monotonic() - self.started)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".new")
        partial.write_text(json.dumps(self.document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)

    def write(self):
        """The runner is done."""
        self.keep(self.out)
        self.part.unlink(missing_ok=True)
