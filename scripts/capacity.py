#!/usr/bin/env python3
"""What a shop of a given size needs of each tier, and which limit it meets first. The figures are those of docs/measured.json;
what depends on one that was not measured is called so. Method: docs/scale.md.

  capacity.py --users N --items N --searches-per-day N --clicks-per-day N
              [--peak-factor 5] [--kept-share 0] [--rerank-pairs 0] [--json]
  capacity.py --write-docs     puts the tables of four shops into docs/scale.md
  capacity.py --check-docs     exits with 1 when these are not what it would write
"""
import argparse
import json
import math
import pathlib
import sys

import capacity_model as model

ROOT = pathlib.Path(__file__).resolve().parents[1]
BEGIN = "<!-- written by scripts/capacity.py --write-docs -->\n"
END = "<!-- end of what capacity.py wrote -->\n"
SHOPS = (
    ("10 k users", model.Shop(users=10_000, items=5_000, searches_per_day=10_000, clicks_per_day=30_000)),
    ("100 k", model.Shop(users=100_000, items=20_000, searches_per_day=100_000, clicks_per_day=300_000)),
    ("1 M", model.Shop(users=1_000_000, items=100_000, searches_per_day=1_000_000, clicks_per_day=3_000_000)),
    ("10 M", model.Shop(users=10_000_000, items=1_000_000, searches_per_day=10_000_000, clicks_per_day=30_000_000)),
)
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def number(value):
    """Two digits that mean something, three from 100 on; thousands are set apart."""
    if value == 0:
        return "0"
    if float(value).is_integer() and value < 10_000:
        return f"{value:,.0f}"
    digits = 3 if value >= 99.5 else 2
    value = float(f"{value:.{digits - 1}e}")
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(value)))}f}"


def shown(value, unit):
    if value is None:
        return "not measured"
    if unit.startswith("bytes"):
        power = min(len(BYTE_UNITS) - 1, max(0, int(math.log10(value) // 3))) if value >= 1 else 0
        return f"{number(value / 1_000 ** power)} {BYTE_UNITS[power]}{unit[len('bytes'):]}"
    if unit in ("articles", "items"):  # bounds and catalogues: exact
        return f"{value:,.0f}"
    joint = "" if unit.startswith("/") else " "
    return f"{number(value)}{joint}{unit}".strip()


def factor(limit):
    return "not measured" if limit.headroom is None else number(limit.headroom)


def table(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines).replace("| --- |", "|---|").replace("| --- ", "|---") + "\n"


def per_million(figures):
    """What a million more of each costs; (of what, tier, what, amount, unit)."""
    f = figures
    million = model.MILLION
    m = model.Model(figures, model.Shop(users=million, items=f["search_items"], searches_per_day=million, clicks_per_day=million))
    items = model.Model(figures, model.Shop(users=1, items=million, searches_per_day=1, clicks_per_day=1))
    rate = model.Shop.peak_factor * million / model.DAY_SECONDS
    return (
        ("users", "one process", "features", million * f["feature_bytes_per_user"], "bytes"),
        ("users", "one process", "… and for each event of a user that is remembered", million * f["feature_bytes_per_event"],
         "bytes"),
        ("users", "Redis", "values and keys", million * (f["redis_value_fixed_bytes"] + f["redis_key_bytes"]), "bytes"),
        ("users", "Redis", "… and for each event that is remembered, at most",
         million * (f["redis_value_bytes_per_recent"] + f["redis_value_bytes_per_category"]), "bytes"),
        ("users", "Redis", "… and for each event of the last days (marks)", million * f["redis_value_bytes_per_mark"],
         "bytes"),
        ("items", "gateway", "memory of its own", million * (m.item_bytes() + f["neighbour_bytes_per_item"]), "bytes"),
        ("items", "gateway", "files in the page cache", million * f["f32_bytes_per_item"], "bytes"),
        ("items", "gateway", "processor time, more a search",
         million * (f["scan_core_ms_per_item"] + f["words_core_ms_per_item"]), "core-ms"),
        ("items", "gateway", "time, more a search alone", million * f["lone_scan_ms_per_item"], "ms"),
        ("items", "gateway", "until a new article is visible", items.new_article_seconds(), "s"),
        ("items", "ingest", "embedding on two cores", items.ingest_hours(), "h"),
        ("items", "disk", "generations", items.generation_bytes(), "bytes"),
        ("items", "Milvus", "vectors and graph", items.milvus_bytes(), "bytes"),
        ("searches a day", "gateway", "cores at the peak, 105,542 articles", m.search_cores(), "cores"),
        ("searches a day", "inference", "cores of the model at the peak", m.model_cores(), "cores"),
        ("searches a day", "gateway", "answers to the network at the peak", m.network_bytes(), "bytes/s"),
        ("searches a day", "Redis", "reads at the peak", rate, "/s"),
        ("searches a day", "disk", "impressions a day", million * f["impression_bytes"], "bytes"),
        ("searches a day", "Kafka", "impressions a day, each copy", m.kafka_impression_bytes(), "bytes"),
        ("clicks a day", "one process", "cores at the peak", m.click_cores(), "cores"),
        ("clicks a day", "one process", "event log a day", million * f["event_bytes"], "bytes"),
        ("clicks a day", "Kafka", "records a day, each copy", m.kafka_click_bytes(), "bytes"),
        ("clicks a day", "Redis", "reads, and as many writes, at the peak", rate, "/s"),
    )


def not_measured(figures):
    return sorted(name for name, entry in figures.entries.items() if entry["value"] is None)


def documentation(figures):
    """The text between the markers of docs/scale.md."""
    parts = ["\n### What a million more costs\n",
             table(["a million", "tier", "what", "costs"],
                   [[of, tier, what, shown(amount, unit)] for of, tier, what, amount, unit in per_million(figures)])]
    needed = [model.quantities(figures, shop) for _, shop in SHOPS]
    rows = [["shop", name] + [number(getattr(shop, field)) for _, shop in SHOPS]
            for field, name in (("items", "articles"), ("searches_per_day", "searches a day"),
                                ("clicks_per_day", "clicks a day"))]
    for line in zip(*needed):
        rows.append([line[0].tier, line[0].name] + [shown(quantity.value, quantity.unit) for quantity in line])
    parts += ["\n### Four shops\n", table(["tier", "what"] + [name for name, _ in SHOPS], rows)]
    found = [{(limit.tier, limit.name): limit for limit in model.limits(figures, shop)} for _, shop in SHOPS]
    rows = []
    for key, largest in found[-1].items():
        if largest.headroom is None:
            continue
        rows.append([*key, shown(largest.most, largest.unit)] + [factor(shop[key]) for shop in found] + [largest.add])
    parts += ["\n### Headroom: the limit as a multiple of what the shop needs\n",
              "Below 1 it is exceeded. In the order in which the largest shop meets them; limits are those of its catalogue.\n\n",
              table(["tier", "what", "limit"] + [name for name, _ in SHOPS] + ["add first"], rows)]
    unknown = [f"{limit.tier}: {limit.name} ({limit.add})" for limit in found[-1].values() if limit.headroom is None]
    if unknown:
        parts.append("\nNot measured, so without a place in the order: " + "; ".join(unknown) + ".\n")
    return "".join(parts) + "\n"


def as_text(figures, shop):
    lines = []
    for quantity in model.quantities(figures, shop):
        value = shown(quantity.value, quantity.unit) + (f" ({quantity.missing})" if quantity.missing else "")
        lines.append(f"{quantity.tier:<12} {quantity.name:<40} {value}")
    lines += ["", "limits, the first that is met first: headroom is the limit as a multiple of the need",
              f"{'headroom':<14}{'tier':<13}{'what':<52}{'need':>14}{'limit':>14}  add first"]
    for limit in model.limits(figures, shop):
        lines.append(f"{factor(limit):<14}{limit.tier:<13}{limit.name:<52}{shown(limit.need, limit.unit):>14}"
                     f"{shown(limit.most, limit.unit):>14}  {limit.add}")
    missing = not_measured(figures)
    if missing:
        lines += ["", "not measured: " + ", ".join(missing)]
    return "\n".join(lines)


def as_json(figures, shop):
    return json.dumps({
        "shop": vars(shop),
        "quantities": [vars(quantity) for quantity in model.quantities(figures, shop)],
        "limits": [{**vars(limit), "headroom": limit.headroom} for limit in model.limits(figures, shop)],
        "not_measured": not_measured(figures),
        "figures": figures.entries,
    }, ensure_ascii=False, indent=2)


def renewed(text, figures):
    """`text` with what stands between the markers written anew."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise model.BadInput("the two markers are not there once each, in order")
    head, rest = text.split(BEGIN)
    return head + BEGIN + documentation(figures) + END + rest.split(END)[1]


def documents(path, figures, write):
    text = path.read_text(encoding="utf-8")
    wanted = renewed(text, figures)
    if write:
        path.write_text(wanted, encoding="utf-8")
        return 0
    if text == wanted:
        return 0
    for number_of, (is_there, is_wanted) in enumerate(zip(text.split("\n"), wanted.split("\n")), start=1):
        if is_there != is_wanted:
            print(f"{path.name}:{number_of}: is “{is_there}”, would be “{is_wanted}”")
            break
    print("run: python3 -B scripts/capacity.py --write-docs")
    return 1


def arguments_of(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("users", "items", "searches-per-day", "clicks-per-day"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--peak-factor", type=float, default=5, help="the peak's rate as a multiple of the day's mean")
    parser.add_argument("--kept-share", type=float, default=0, help="share of searches that kept lists answer")
    parser.add_argument("--rerank-pairs", type=float, default=0, help="pairs that MiniLM-L6 judges in a search")
    parser.add_argument("--measured", type=pathlib.Path, default=ROOT / "docs" / "measured.json", help="file of the figures")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--check-docs", action="store_true")
    return parser.parse_args(words)


def main(words):
    arguments = arguments_of(words)
    try:
        figures = model.Figures.read(arguments.measured)
        if arguments.write_docs or arguments.check_docs:
            return documents(ROOT / "docs" / "scale.md", figures, arguments.write_docs)
        asked = {name: getattr(arguments, name) for name in model.Shop.BOUNDS}
        missing = [name for name, value in asked.items() if value is None]
        if missing:
            raise model.BadInput("give " + ", ".join("--" + name.replace("_", "-") for name in missing))
        shop = model.Shop(**asked)
        print(as_json(figures, shop) if arguments.json else as_text(figures, shop))
        return 0
    except (model.BadInput, OSError) as error:
        print(f"capacity.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
