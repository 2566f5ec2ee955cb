"""What a text of metrics, docs/metrics.md and expressions of PromQL say of metrics."""

import re

DECLARED = re.compile(r"^# TYPE (\S+) (\S+)$", re.M)
SERIES = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"')
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \| ([a-z_, ]*) \| ([a-z_, ]+) \| (.+) \|$", re.M)
FAMILIES = r"scalestyle|recommendation|process|events|dependency|redis_(?:update|operations)|kafka_(?:produce|consumer)"
# A name where a metric is made, or kept in a constant: what follows it is the help text, or the constant's end.
ENDS = ("total|seconds|bytes|rows|ratio|events|articles|queries|tokens|calls|state|info|fds|threads|jobs|messages|posts|connections|"
        "entries|items|subjects|texts|queued|failing|refuses|serving|rules|configurations")
IN_CODE = re.compile(rf'"((?:{FAMILIES})_(?:[a-z0-9_]+_)?(?:{ENDS}))"')


class Metric:
    def __init__(self, kind, labels, where=()):
        self.kind, self.labels, self.where = kind, frozenset(labels), where


def of_exposition(text):
    """Of each family its type and the names of its labels, and the number of its series."""
    kinds = dict(DECLARED.findall(text))
    labels, counts = {name: set() for name in kinds}, dict.fromkeys(kinds, 0)
    for line in text.splitlines():
        found = SERIES.match(line)
        if line.startswith("#") or found is None:
            continue
        name = family_of(found.group(1), kinds)
        labels[name] |= set(LABEL.findall(found.group(2) or "")) - ({"le"} if kinds[name] == "histogram" else set())
        counts[name] += 1
    return {name: Metric(kind, labels[name]) for name, kind in kinds.items()}, counts


def family_of(name, kinds):
    for suffix in ("_bucket", "_sum", "_count"):
        base = name[:-len(suffix)]
        if name.endswith(suffix) and base in kinds and getattr(kinds[base], "kind", kinds[base]) == "histogram":
            return base
    return name


def of_document(text):
    return {name: Metric(kind, filter(None, labels.split(", ")), tuple(where.split(", ")))
            for name, kind, labels, where, _ in ROW.findall(text)}


def of_code(root):
    """Names of metrics in the sources, with where they are."""
    found = {}
    for folder in ("src", "apps"):
        for path in sorted((root / folder).rglob("*.?pp")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.lstrip().startswith("//"):
                    continue
                for name in IN_CODE.findall(line):
                    found.setdefault(name, f"{path.relative_to(root)}:{number}")
    return found


WORDS = {"sum", "min", "max", "avg", "count", "by", "on", "and", "or", "rate", "increase", "changes", "deriv", "histogram_quantile",
         "predict_linear", "ignoring", "without", "group_left", "unless", "round"}


def of_expression(expression):
    """The names of metrics of an expression, and the names of labels that it goes by."""
    labels = set()
    for selector in re.findall(r"\{([^}]*)\}", expression):
        labels |= set(re.findall(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"', selector))
    for group in re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", expression):
        labels |= {name.strip() for name in group.split(",") if name.strip()}
    rest = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|ignoring|without)\s*\([^)]*\)", " ", expression)
    names = {word for word in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", rest) if word not in WORDS}
    return names, labels
