#!/usr/bin/env python3
"""usage: tables.py [--results FOLDER] [--document FILE] [--check]

Puts the figures of all finished runners, and the laws that they follow, between the markers of docs/growth.md. With --check nothing is
written; exits with 1 when the document is not what the figures give. Runners that have not finished here are named as not measured;
figures of --smoke runs are refused. Standard library only.
"""
import argparse
import json
import math
import pathlib
import sys

import law
import points

BEGIN = "<!-- written by bench/growth/tables.py -->\n"
END = "<!-- end of what tables.py wrote -->\n"
TITLES = {
    "vectors": "Vectors: the exact scan",
    "graph": "Vectors: a graph",
    "words": "Words",
    "catalogue": "Ingest and start",
    "users": "Users in the feature store",
    "events": "Events a second",
    "candidates": "Candidates reranked",
    "lengths": "Length of a text",
    "purchases": "Purchases: what is bought together",
}
UNITS = {"ms": "ms", "us": "µs", "ns": "ns", "s": "s", "mb": "MB", "bytes": "bytes", "second": "/s"}


class BadFigures(Exception):
    pass


def titles():
    """{runner: title} of those that there are: `graph` may not be."""
    return {name: title for name, title in TITLES.items() if (points.HERE / f"{name}.py").exists()}


def unit(figure):
    """The unit that a figure's name ends with; None for a quality."""
    head, _, tail = figure.rpartition("_")
    return UNITS.get(tail) if head else None


def read_results(folder):
    """{runner: its document} of those that have finished."""
    found = {}
    for name in titles():
        path = folder / f"{name}.json"
        if path.exists():
            try:
                found[name] = checked(json.loads(path.read_text(encoding="utf-8")))
            except (BadFigures, ValueError) as error:
                raise BadFigures(f"{path}: {error}") from error
    return found


def checked(document):
    if not isinstance(document, dict) or document.get("smoke") is not False:
        raise BadFigures("these are not figures of a full run")
    for field in ("machine", "date", "commit", "series"):
        if not document.get(field):
            raise BadFigures(f'no "{field}"')
    for series in document["series"]:
        check_series(series)
    return document


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def check_series(series):
    for field in ("name", "of", "points"):
        if not series.get(field):
            raise BadFigures(f'a series has no "{field}"')
    name, names, seen = series["name"], list(series["points"][0].get("figures") or ()), set()
    for point in series["points"]:
        n, figures = point.get("n"), point.get("figures")
        if not is_number(n) or n <= 0 or n in seen:
            raise BadFigures(f"{name}: n {n} is not above 0 or there twice")
        seen.add(n)
        if not figures or set(figures) != set(names):
            raise BadFigures(f"{name}, n {n}: other figures than the first point has")
        for figure, value in figures.items():
            if not is_number(value) or value < 0 or (unit(figure) and value == 0):
                raise BadFigures(f"{name}, n {n}: {figure} is no figure above 0")


def number(value):
    """Three digits that mean something."""
    rounded = float(f"{value:.2e}")
    if rounded == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(rounded))))
    if digits > 8:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}·10^{int(exponent)}".replace("-", "−")
    return f"{rounded:,.{digits}f}".replace("-", "−")


def quality(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def with_unit(value, of):
    return number(value) + (of if of.startswith("/") else f" {of}")


def heading(figure):
    words = figure.rsplit("_", 2 if figure.endswith("_per_second") else 1)[0] if unit(figure) else figure
    return words.replace("_", " ") + (f", {unit(figure)}" if unit(figure) else "")


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def row(cells):
    return "| " + " | ".join(map(cell, cells)) + " |\n"


def ordered(series):
    return sorted(series["points"], key=lambda point: point["n"])


def figure_table(series):
    names = list(series["points"][0]["figures"])
    text = row([series["of"], *map(heading, names)]) + "|---" * (len(names) + 1) + "|\n"
    for point in ordered(series):
        shown = [(number if unit(name) else quality)(point["figures"][name]) for name in names]
        text += row([f"{point['n']:,}", *shown])
    return text


def laws_of(series):
    """{figure: (law, the other)} of the figures that make one."""
    found = {}
    for name in series["points"][0]["figures"]:
        if unit(name) and name not in series.get("told", ()):
            try:
                found[name] = law.fit([(point["n"], point["figures"][name]) for point in series["points"]])
            except law.NoLaw:
                continue
    return found


def formula(one):
    if one.form == "power":
        return f"{number(one.first)} · n^{one.second:.2f}"
    return f"{number(one.first)} {'−' if one.second < 0 else '+'} {number(abs(one.second))} · n"


def percent(share):
    whole = round(100 * share)
    return "0" if whole == 0 else f"{whole:+d}".replace("-", "−")


def law_table(series):
    laws = laws_of(series)
    if not laws:
        return ""
    beyond = [n for n in series.get("beyond", ()) if n > max(point["n"] for point in series["points"])]
    heads = ["", "law", "R²", "off by, % of each line above", "mean error", "the other form", *(f"extrapolated: {n:,}" for n in beyond)]
    text = "\n" + row(heads) + "|---" * len(heads) + "|\n"
    for name, (one, other) in laws.items():
        explained = "–" if one.r_squared is None else f"{one.r_squared:.4f}"
        far = [with_unit(one.at(n), unit(name)) if one.at(n) > 0 and one.error <= law.WORTH_TELLING else "–" for n in beyond]
        text += row([heading(name), formula(one), explained, " ".join(map(percent, one.residuals)), f"{100 * one.error:.1f} %",
                     f"{other.form}, {100 * other.error:.1f} %", *far])
    return text


def series_text(series):
    ns = [point["n"] for point in series["points"]]
    law_lines = law_table(series)
    told = f"Laws of {min(ns):,} … {max(ns):,} {series['of']}:\n" if law_lines else "Too few points for a law.\n"
    return f"\n### {cell(series['name'][0].upper() + series['name'][1:])}\n" + figure_table(series) + "\n" + told + law_lines


def crossings(results):
    """From how many vectors on a graph is quicker than the exact scan, by the laws of p50; "" where there is no graph."""
    if "graph" not in results or "vectors" not in results:
        return ""
    scans = {one["name"].removeprefix("exact scan, "): one for one in results["vectors"]["series"]}
    lines = []
    for one in results["graph"]["series"]:
        rest = one["name"].removeprefix("graph, ")
        laws = [laws_of(series).get("p50_ms") for series in (one, scans.get(rest)) if series is not None]
        if len(laws) < 2 or None in laws:
            continue
        n = law.crossing(laws[0][0], laws[1][0], least=100)
        measured = max(point["n"] for point in one["points"])
        where = "nowhere below 10^12 vectors" if n is None else \
            f"from {number(n)} vectors on{'' if n <= measured else ' (extrapolated)'}" if n > 100 else "at every size"
        lines.append(f"- {rest}: {where}\n")
    return "\nBy the laws of p50 the graph is quicker than the exact scan:\n\n" + "".join(lines) if lines else ""


def conditions(document):
    machine = document["machine"]
    kernels = f", kernels {machine['kernels']}" if machine.get("kernels") else ""
    return (f"{document['date']}, commit {document['commit']}, {machine['cpu']}{kernels}; load before the run "
            f"{machine.get('load_before', 'not known')}; {document.get('seconds', 0):,} s in all.")


def documentation(results):
    parts = []
    for name, title in titles().items():
        parts.append(f"\n## {title}\n")
        if name not in results:
            parts.append(f"Not measured: `make bench-growth GROWTH={name}`.\n")
            continue
        document = results[name]
        parts.append(conditions(document) + "".join(f" {cell(note)}" for note in document.get("notes", ())) + "\n")
        parts += [series_text(series) for series in document["series"]]
        if name == "graph":
            parts.append(crossings(results))
    return "".join(parts) + "\n"


def put(text, written):
    """The document with its tables replaced."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin or text.count(BEGIN) != 1 or text.count(END) != 1:
        raise BadFigures("the document does not have both markers once, in order")
    return text[:begin] + BEGIN + written + text[end:]


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=pathlib.Path, default=points.WORK / "results")
    parser.add_argument("--document", type=pathlib.Path, default=points.ROOT / "docs" / "growth.md")
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
            print(f"{options.document} has other tables than {options.results}: run bench/growth/tables.py")
        return int(wanted != text)
    options.document.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
