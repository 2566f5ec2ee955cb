#!/usr/bin/env python3
"""usage: tables.py [--results FILE] [--document FILE] [--check]

Puts the figures of a whole run of run.py as tables between the markers of docs/performance.md: the figures to reach, the fixed samples
beside rivals, and what else was measured. With --check nothing is written; exits with 1 when the document has others. Results of a
trial (--short) or of some measurements are refused. Standard library only.
"""
import argparse
import json
import math
import pathlib
import sys

import gates
from machine import ROOT

BEGIN = "<!-- written by bench/suite/tables.py -->\n"
END = "<!-- end of what bench/suite/tables.py wrote -->\n"
NOT_MEASURED = "\nNot measured: `make bench`.\n\n"
ROW_FIELDS = ("gate", "row", "unit", "direction", "verdict", "value", "bound", "scaled_bound")
BESIDE_FIELDS = ("work", "rival", "unit", "ours", "theirs", "ratio", "ours_quality", "theirs_quality")


class BadResults(Exception):
    pass


def checked(results):
    if not isinstance(results, dict) or results.get("short") is not False or results.get("partial") is not False:
        raise BadResults("these are not the results of a whole run")
    if not results.get("catalogue"):
        raise BadResults("these are the results of a run without the catalogue: make bench DATA=FOLDER")
    for name in ("machine", "gates", "measurements", "seconds"):
        if not results.get(name):
            raise BadResults(f'no "{name}"')
    for name in ("cpu", "date", "commit", "peaks"):
        if not results["machine"].get(name):
            raise BadResults(f'the machine has no "{name}"')
    for rows, fields in ((results["gates"], ROW_FIELDS), (results.get("beside", []), BESIDE_FIELDS)):
        for row in rows:
            if any(field not in row for field in fields):
                raise BadResults(f"a row lacks one of {', '.join(fields)}")
    missing = {gate.name for gate in gates.GATES} - {row["gate"] for row in results["gates"]}
    if missing:
        raise BadResults(f"no row of {', '.join(sorted(missing))}")
    return results


def number(value):
    """Three digits that mean something."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{float(f'{value:.2e}'):,.{min(digits, 5)}f}"


def amount(value, unit):
    if value is None:
        return ""
    text = f"{value:.4f}" if not unit else number(value)
    return text + (unit if unit.startswith("/") or unit == "×" else f" {unit}" if unit else "")


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def line(cells):
    return "| " + " | ".join(map(cell, cells)) + " |"


def verdict(row):
    """The verdict that counts; that of the bound as written beside it where they are not the same bound."""
    said = row["verdict"]
    if "decision" in row:
        record = next(iter(sorted((ROOT / "docs" / "decisions").glob(f"{row['decision']}-*.md"))), None)
        if record is not None:
            said = said.replace(f"decision {row['decision']}", f"[decision {row['decision']}](decisions/{record.name})")
    return f"{said} (as written: {row['as_written']})" if row["scaled_bound"] is not None else said


def gate_table(results):
    lines = [line(["", "measured", "reach", "reach here", "rival", "verdict", "with it", "command"]), "|---" * 8 + "|"]
    for row in results["gates"]:
        sign = "≤ " if row["direction"] == "most" else "≥ "
        bound = sign + amount(row["bound"], row["unit"]) if row["bound"] is not None else ""
        scaled = f"{sign}{amount(row['scaled_bound'], row['unit'])}: {row['scaled_why']}" if row["scaled_bound"] is not None else ""
        rival = f"{row['rival']}, {row['rival_value']}" if row.get("rival") else ""
        command = f"`{row['command']}`" if row.get("command") else ""
        lines.append(line([row["row"], amount(row["value"], row["unit"]), bound, scaled, rival, verdict(row), row.get("note", ""), command]))
    return "\n".join(lines) + "\n"


def beside_table(rows):
    lines = [line(["", "rival", "ours", "rival's", "ratio", "quality, ours", "quality, rival's"]), "|---" * 7 + "|"]
    for row in rows:
        lines.append(line([row["work"], row["rival"], amount(row["ours"], row["unit"]), amount(row["theirs"], row["unit"]),
                           f"{number(row['ratio'])}×", row["ours_quality"], row["theirs_quality"]]))
    return "\n".join(lines) + "\n"


def other_table(figures):
    lines = [line(["", "measured", "with it", "command"]), "|---" * 4 + "|"]
    rows = [one for one in figures.values() if "row" in one and "value" in one]
    lines += [line([one["row"], amount(one["value"], one["unit"]), one["note"], f"`{one['command']}`"]) for one in rows]
    return "\n".join(lines) + "\n" if rows else ""


def conditions(results):
    machine, loads = results["machine"], [one["load_before"] for one in results["measurements"]]
    peaks = ", ".join(f"{name} {peak:.0f}" for name, peak in machine["peaks"].items() if peak)
    return (f"{machine['date']}, commit {machine['commit']}; {machine['cpu']}, {machine['cores']} cores, {machine['memory_mb'] / 1024:.0f} GB; "
            f"instruction sets {', '.join(machine['flags'])}; kernels {machine['kernels']}; register peaks of one core {peaks} giga-operations/s; "
            f"data folder {results['catalogue']}; {results['seconds']} s in all; load before each measurement {min(loads):.2f} to {max(loads):.2f}.")


EXPLAINED = ("“Reach” is what is to be reached on two cores with AVX-512 VNNI. Without it, “reach here” multiplies the part of the bound that is "
             "model work by that processor's register peak ÷ this one's, measured in the same run with its best exact instruction; above its "
             "peak in int8, work that is a model's alone is held to 1.35 × the arithmetic. Ratios and shares are not scaled.")


def documentation(results):
    if results is None:
        return NOT_MEASURED
    parts = ["\n", conditions(results), " ", EXPLAINED, "\n\n", gate_table(results)]
    notes = [f"{one['name']}: {one.get('no_data') or one.get('failed')}" for one in results["measurements"] if "no_data" in one or "failed" in one]
    if notes:
        parts += ["\nNot measured: ", "; ".join(map(cell, notes)), ".\n"]
    if results.get("beside"):
        versions = "; ".join(one["note"] for one in results["measurements"] if "note" in one)
        parts += ["\n### Beside rivals, on small fixed samples\n", cell(versions), ". A ratio above 1 is ours. The whole comparison: [rivals](rivals.md).\n\n",
                  beside_table(results["beside"])]
    others = other_table(results.get("figures", {}))
    if others:
        parts += ["\n### Also measured in that run\n", others]
    return "".join(parts) + "\n"


def put(text, written):
    """The document with its tables replaced."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin or text.count(BEGIN) != 1 or text.count(END) != 1:
        raise BadResults("the document does not have both markers once, in order")
    return text[:begin] + BEGIN + written + text[end:]


def read(path):
    """None where nothing was measured."""
    if not path.exists():
        return None
    try:
        return checked(json.loads(path.read_text(encoding="utf-8")))
    except (BadResults, ValueError) as error:
        raise BadResults(f"{path}: {error}") from error


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "bench" / "results.json")
    parser.add_argument("--document", type=pathlib.Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(words)
    try:
        text = options.document.read_text(encoding="utf-8")
        wanted = put(text, documentation(read(options.results)))
    except (BadResults, OSError) as error:
        print(f"tables.py: {error}", file=sys.stderr)
        return 2
    if options.check:
        if wanted != text:
            print(f"{options.document} has other tables than {options.results}: run bench/suite/tables.py")
        return int(wanted != text)
    options.document.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
