#!/usr/bin/env python3
"""usage: tables.py [--results FOLDER] [--document FILE] [--check]

Puts the figures of all finished runners as tables between the markers of docs/rivals.md. With --check nothing is written; exits with 1
when the document's tables are not those of the figures. Runners that have not finished here are named as not measured; figures of
--smoke runs are refused. Standard library only.
"""
import argparse
import json
import math
import pathlib
import statistics
import sys

import runs

BEGIN = "<!-- written by bench/rivals/tables.py -->\n"
END = "<!-- end of what tables.py wrote -->\n"
TITLES = {
    "encoder": "Encoder and cross-encoder: ONNX Runtime, PyTorch",
    "vectors": "Vectors: FAISS, hnswlib, USearch",
    "gemm": "Products of matrices: oneDNN",
    "words": "Words: Tantivy, Lucene",
    "service": "The whole search: Python services",
    "clicks": "Clicks: a synchronous Kafka producer",
}
FIELDS = ("work", "rival", "unit", "more_is_better", "ours", "theirs", "ours_quality", "theirs_quality")


class BadFigures(Exception):
    pass


def read_results(folder):
    """{runner: its document} of those that have finished."""
    found = {}
    for name in TITLES:
        path = folder / f"{name}.json"
        if path.exists():
            try:
                found[name] = checked(json.loads(path.read_text(encoding="utf-8")))
            except (BadFigures, ValueError) as error:
                raise BadFigures(f"{path}: {error}") from error
    return found


def checked(document):
    if not isinstance(document, dict) or document.get("smoke") is not False or document.get("brief"):
        raise BadFigures("these are not figures of a full run")
    for field in ("machine", "date", "commit", "versions", "repeats", "rows"):
        if not document.get(field):
            raise BadFigures(f'no "{field}"')
    for one in document["rows"]:
        if any(field not in one for field in FIELDS):
            raise BadFigures(f"a row lacks one of {', '.join(FIELDS)}")
        for side in ("ours", "theirs"):
            values = one[side]
            if not values or not all(isinstance(x, (int, float)) and math.isfinite(x) and x > 0 for x in values):
                raise BadFigures(f"{one['work']}: {side} has no figures above 0")
    return document


def number(value):
    """Three digits that mean something."""
    digits = max(0, 2 - math.floor(math.log10(value)))
    rounded = float(f"{value:.2e}")
    return f"{rounded:,.{digits}f}"


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(document):
    lines = ["| | rival | ours | rival's | ratio | quality, ours | quality, rival's |", "|---|---|---|---|---|---|---|"]
    for one in document["rows"]:
        joint = "" if one["unit"].startswith("/") else " "
        figures = [f"{number(statistics.median(one[side]))}{joint}{one['unit']}" for side in ("ours", "theirs")]
        words = [one["work"], one["rival"], *figures, f"{number(runs.ratio(one))}×", one["ours_quality"], one["theirs_quality"]]
        lines.append("| " + " | ".join(map(cell, words)) + " |")
    return "\n".join(lines) + "\n"


def conditions(document):
    machine = document["machine"]
    versions = ", ".join(f"{name} {value}" for name, value in document["versions"].items())
    kernels = f", our kernels {machine['kernels']}" if machine.get("kernels") else ""
    return (f"{document['date']}, commit {document['commit']}, {machine['cpu']}{kernels}; {versions}; medians of {document['repeats']} "
            f"turns; load before the run {machine['load_before']}.")


def documentation(results):
    parts = []
    for name, title in TITLES.items():
        parts.append(f"\n## {title}\n")
        if name not in results:
            parts.append(f"Not measured: `make bench-rivals RIVALS={name}`.\n")
            continue
        notes = "".join(f" {cell(note)}" for note in results[name].get("notes", ()))
        parts.append(conditions(results[name]) + notes + "\n\n" + table(results[name]))
    return "".join(parts) + "\n"


def put(text, written):
    """The document with its tables replaced."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin or text.count(BEGIN) != 1 or text.count(END) != 1:
        raise BadFigures("the document does not have both markers once, in order")
    return text[:begin] + BEGIN + written + text[end:]


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=pathlib.Path, default=runs.WORK / "results")
    parser.add_argument("--document", type=pathlib.Path, default=runs.ROOT / "docs" / "rivals.md")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(words)
    try:
        text = options.document.read_text(encoding="utf-8")
        wanted = put(text, documentation(read_results(options.results)))
    except (BadFigures, OSError) as error:
        print(f"tables.py: {error}", file=sys.stderr)
        return 2
    if options.check:
        if wanted != text:
            print(f"{options.document} has other tables than {options.results}: run bench/rivals/tables.py")
        return int(wanted != text)
    options.document.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
