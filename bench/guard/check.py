"""usage: check.py GUARD_BENCH [--write] [--only PART] [--record FILE] : compares what fixed work costs with the record.

Runs guard_bench under Callgrind and compares instructions and allocations a unit of work with record.json. Over a bound: the two
figures, and exit status 1. Better by more than the bound: says that the record should be written anew, which --write does (it keeps
the bounds). Instructions are those of user code, of all threads. With another compiler than the record's the bound is WIDER_PERCENT
for instructions, and said; allocations depend on no compiler. Exit status 77 without valgrind: the test is skipped.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

RECORD = pathlib.Path(__file__).parent / "record.json"
DEFAULT_BOUND_PERCENT = 5
WIDER_PERCENT = 25
SKIPPED = 77


class Wrong(Exception):
    """What cannot be compared, in words."""


def read_dump(text):
    """The name and the instructions of one of Callgrind's files; no name for the one at the program's end."""
    trigger = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.M)
    total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
    if total is None:
        raise Wrong("a file of Callgrind has no total")
    return (trigger.group(1).strip() if trigger else None), int(total.group(1))


def combine(report, dumps):
    """What guard_bench printed, with the instructions of the dumps: {name: {instructions, allocations}} a unit of work."""
    counted = dict(dump for dump in dumps if dump[0] is not None)
    units = {}
    for name, unit in report["units"].items():
        if name not in counted:
            raise Wrong(f"Callgrind counted nothing for “{name}”")
        units[name] = {"instructions": round(counted[name] / unit["repeats"]), "allocations": round(unit["allocations"] / unit["repeats"], 2)}
    return units


def measure(program, only):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", "--quiet", program]
        done = subprocess.run(command + (["--only", only] if only else []), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Wrong(f"guard_bench ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        report = json.loads(done.stdout)
        dumps = [read_dump(path.read_text(encoding="utf-8")) for path in pathlib.Path(folder).iterdir()]
    return {"compiler": report["compiler"], "isa": report["isa"], "units": combine(report, dumps)}


def percent(now, before):
    return 100 * (now - before) / before if before else (0 if now == 0 else float("inf"))


def compare(record, measured, whole=True):
    """The lines to tell and whether all is within its bounds. whole: every unit of the record must have been measured."""
    lines, good, better = [], True, []
    same = record["compiler"] == measured["compiler"]
    if not same:
        lines.append(f"the record is of compiler {record['compiler']}, this is {measured['compiler']}: "
                     f"instructions may differ by {WIDER_PERCENT} %")
    for name in sorted(record["units"].keys() | measured["units"].keys()):
        before, now = record["units"].get(name), measured["units"].get(name)
        if now is None:
            if whole:
                lines.append(f"FAILED {name}: in the record, and not measured any more: check.py --write")
                good = False
            continue
        if before is None:
            lines.append(f"FAILED {name}: not in the record ({now['instructions']:,} instructions): check.py --write")
            good = False
            continue
        bound = before["bound_percent"] if same else max(WIDER_PERCENT, before["bound_percent"])
        change = percent(now["instructions"], before["instructions"])
        told = f"{name}: {now['instructions']:,} instructions against {before['instructions']:,} of the record ({change:+.1f} %, bound {bound} %)"
        extra = now["allocations"] - before["allocations"]
        counts = f"{now['allocations']:g} allocations against {before['allocations']:g} (bound +{before['bound_allocations']:g})"
        if change > bound or extra > before["bound_allocations"]:
            good = False
            lines.append(f"FAILED {told}; {counts}")
        else:
            lines.append(f"       {told}; {counts}")
        if change < -bound or extra < -before["bound_allocations"]:
            better.append(name)
    if better and good:
        lines.append(f"improve the record (check.py --write): {', '.join(better)}")
    return lines, good


def new_record(old, measured):
    """The measured units with the bounds that the old record has for them."""
    units = {}
    for name, unit in measured["units"].items():
        before = old.get("units", {}).get(name, {})
        units[name] = {**unit, "bound_percent": before.get("bound_percent", DEFAULT_BOUND_PERCENT),
                       "bound_allocations": before.get("bound_allocations", 0)}
    return {"compiler": measured["compiler"], "isa": measured["isa"], "units": units}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--record", type=pathlib.Path, default=RECORD)
    given = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        print("guard.instructions: Skipped\nvalgrind is not installed (scripts/setup.sh installs it)")
        return SKIPPED
    record = json.loads(given.record.read_text(encoding="utf-8")) if given.record.exists() else {}
    try:
        measured = measure(given.program, given.only)
    except Wrong as wrong:
        print(f"Error: {wrong}")
        return 1
    if not measured["units"]:
        print(f"Error: no unit is named {given.only!r}")
        return 1
    if given.write:
        if given.only and record and record["compiler"] != measured["compiler"]:
            print(f"Error: the record is of {record['compiler']}: write the whole of it")
            return 1
        fresh = new_record(record, measured)
        if given.only:
            fresh["units"] = {**record.get("units", {}), **fresh["units"]}
        given.record.write_text(json.dumps(fresh, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        print(f"written: {given.record}")
        return 0
    if not record:
        print(f"Error: {given.record} is not there: check.py --write")
        return 1
    lines, good = compare(record, measured, whole=not given.only)
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
