"""The steps of a search as a table: from what the server measured (its metrics, the stages of its answers) and what the client saw.

Every row is something measured; what is left of the whole is said as not explained. Times are means in microseconds a request.
"""
import re

TOLERANCE = 0.10
STEP = re.compile(r'^scalestyle_request_step_seconds_total\{step="(\w+)"\} (\S+)$', re.M)
# Stages that run beside others: told, and not in the sum.
BESIDE = ("snapshot", "embed_image", "retrieve_image")
STAGE_NAMES = {
    "admission": "the limit at the door", "validate": "the request checked", "understand": "understanding: words planned, meaning read",
    "filter": "filters", "lexical": "words: the best rows", "order": "fusion, and hits to rows", "rerank": "rerank", "fallback": "fallback",
    "rules": "rules", "personalize": "personalise", "page": "page: variants, total, cursor", "reasons": "reasons",
    "snapshot": "the shopper's features (beside)"}


def steps_of(metrics_text):
    """Seconds so far by step."""
    return {name: float(value) for name, value in STEP.findall(metrics_text)}


def step_means(scrapes, requests):
    """Microseconds a request of each step, from three scrapes: two one after the other, the third after the requests. What one scrape
    itself costs is the difference of the first two."""
    first, second, third = scrapes
    return {name: 1e6 * ((third[name] - second[name]) - (second[name] - first[name])) / requests for name in third}


def stage_means(answers):
    """Microseconds a request of each stage of the answers, those that were skipped too: getting there takes its time."""
    sums = {}
    for answer in answers:
        for stage in answer["stages"]:
            sums[stage["stage"]] = sums.get(stage["stage"], 0.0) + 1e3 * stage["took_ms"]
    return {name: total / len(answers) for name, total in sums.items()}


def rows_of(steps, stages, transport):
    """[(what, microseconds, is it in the sum)] in the order of a request's life."""
    rows = [("sockets, wake-ups of server and client (by `GET /live`)", transport, True),
            ("HTTP header read and parsed", steps["read"], True),
            ("trace, route, keys, limits", steps["begin"] - steps["parameters"], True),
            ("parameters to a request", steps["parameters"], True)]
    stages = dict(stages)
    rest = stages.pop("list", steps["to_worker"]) - steps["to_worker"]
    embed, retrieve = stages.pop("embed", 0.0), stages.pop("retrieve", 0.0)
    for name in ("admission", "validate"):
        rows.append((STAGE_NAMES[name], stages.pop(name, 0.0), True))
    rows += [("hand-over to a worker", steps["to_worker"], True), ("key, and look-up of a kept list", rest, True)]
    for name in ("understand", "filter", "lexical"):
        rows.append((STAGE_NAMES[name], stages.pop(name, 0.0), True))
    if embed > 0:
        rows += [("hand-over to a batch", steps["batch_wait"], True), ("tokenising", steps["tokenize"], True),
                 ("embedding", steps["model"], True),
                 ("embedding: besides", embed - steps["batch_wait"] - steps["tokenize"] - steps["model"], True)]
    if retrieve > 0:
        rows += [("scan of the vectors", steps["scan"], True), ("rescore", steps["rescore"], True),
                 ("scan: queries in, hits out", retrieve - steps["scan"] - steps["rescore"], True),
                 ("hand-over back from the batch", steps["batch_back"], True)]
    for name in [name for name in STAGE_NAMES if name in stages]:
        rows.append((STAGE_NAMES[name], stages.pop(name), name not in BESIDE))
    rows += [(name, value, name not in BESIDE) for name, value in stages.items()]
    return rows + [("metrics, spans, impression noted", steps["record"], True), ("JSON", steps["json"], True),
                   ("hand-over back to the I/O thread", steps["back"], True), ("answer written", steps["write"], True)]


def explained(rows, whole):
    """The sum of the rows that count, and its share of the whole."""
    total = sum(value for _, value, counts in rows if counts)
    return total, total / whole


def is_explained(share):
    return abs(share - 1) <= TOLERANCE


def table(kinds):
    """kinds: {name: (rows, whole)} as lines of Markdown, one column a kind."""
    order = []
    for rows, _ in kinds.values():
        for at, (what, _, _) in enumerate(rows):
            if what not in order:
                before = [row[0] for row in rows[:at] if row[0] in order]
                order.insert(order.index(before[-1]) + 1 if before else 0, what)
    lines = ["| microseconds | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    columns = [({what: value for what, value, _ in rows}, rows, whole) for rows, whole in kinds.values()]
    for what in order:
        cells = [f"{values[what]:,.1f}" if what in values else "" for values, _, _ in columns]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    sums = [explained(rows, whole) for _, rows, whole in columns]
    lines.append("| **sum** | " + " | ".join(f"**{total:,.1f}**" for total, _ in sums) + " |")
    lines.append("| **the whole, as the client sees it** | " + " | ".join(f"**{whole:,.1f}**" for _, _, whole in columns) + " |")
    lines.append("| explained | " + " | ".join(f"{100 * share:.1f} %" for _, share in sums) + " |")
    return lines
