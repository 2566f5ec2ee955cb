"""docs/timeouts.md has every time-out setting with its default; each default fits into its parent's, and a test shows that it ends."""
import re

import common

DOCUMENT = "docs/timeouts.md"
TABLE = "apps/scalestyle/settings_table.cpp"
TIME_OUT = re.compile(r"_(timeout|deadline|budget|wait)_ms$")
SETTING = re.compile(r'integer\("(\w+)",\s*"(\d+)"')
TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)


def milliseconds(text, name):
    """Of `name{N}`, `name = N` or `name(N)` with a type or a suffix of <chrono>; None where it is not there."""
    for line in text.splitlines():
        found = re.search(rf"\b{name}\s*(?:=\s*|{{)\s*(?:std::chrono::(\w+)\()?([\d']+)(ms|s)?\b", line)
        if found is None:
            continue
        value = int(found.group(2).replace("'", ""))
        in_seconds = found.group(3) == "s" or found.group(1) == "seconds" or "std::chrono::seconds" in line
        return value * 1000 if in_seconds else value
    return None


def rows(path):
    for number, line in common.lines(path):
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 6:
            yield number, dict(zip(("name", "source", "default", "bounds", "parent", "test"), cells))


def check(root):
    settings = dict(SETTING.findall((root / TABLE).read_text(encoding="utf-8")))
    tests = set()
    for path in common.files(root, ".cpp", under=("tests",)):
        tests.update(f"{suite}.{name}" for suite, name in TEST.findall(path.read_text(encoding="utf-8")))
    table = list(rows(root / DOCUMENT))
    defaults = {row["name"]: int(row["default"]) for _, row in table}
    found = []
    for number, row in table:
        where, name = f"{DOCUMENT}:{number}", row["name"]
        is_setting = row["source"].startswith("setting")
        if is_setting:
            actual = int(settings[name]) if name in settings else None
        else:
            source = root / row["source"]
            actual = milliseconds(source.read_text(encoding="utf-8"), name) if source.is_file() else None
        if actual is None:
            found.append(f"{where}: there is no {name} in {TABLE if is_setting else row['source']}")
        elif actual != defaults[name]:
            found.append(f"{where}: {name} is {actual} ms, not {row['default']}")
        if row["parent"] and row["parent"] not in defaults:
            found.append(f"{where}: {row['parent']}, the parent of {name}, is not in the table")
        elif row["parent"] and defaults[row["parent"]] < defaults[name]:
            found.append(f"{where}: {name} does not fit into {row['parent']}")
        if row["test"] and row["test"] not in tests:
            found.append(f"{where}: there is no test {row['test']}")
        elif row["source"] == "setting" and not row["test"]:
            found.append(f"{where}: no test shows that {name} ends")
    for name in sorted(settings):
        if TIME_OUT.search(name) and name not in defaults:
            found.append(f"{DOCUMENT}: {name} of {TABLE} is missing")
    return found


HEAD = "| time-out | set by | default | bounds | parent | ends with |\n|---|---|---|---|---|---|\n"
WHOLE = "| `whole_deadline_ms` | setting | 600 | all | | `A.Ends` |\n"
PART = "| `kPart` | `src/a.cpp` | 2000 | part | | |\n"
INNER = "| `inner_timeout_ms` | setting | 20 | part | `whole_deadline_ms` | `A.Ends` |\n"
GOOD = {
    DOCUMENT: HEAD + WHOLE + PART + INNER,
    TABLE: 'integer("whole_deadline_ms", "600", "",\ninteger("inner_timeout_ms", "20", "",\ninteger("other", "1", "",\n',
    "src/a.cpp": "constexpr std::chrono::seconds kPart{2};\n",
    "tests/a_test.cpp": "TEST(A, Ends) {\n",
}
BAD = {
    "inner_timeout_ms of apps/scalestyle/settings_table.cpp is missing": {DOCUMENT: HEAD + WHOLE},
    "whole_deadline_ms is 600 ms, not 700": {DOCUMENT: HEAD + WHOLE.replace("600", "700") + INNER},
    "kPart is 3000 ms, not 2000": {"src/a.cpp": "auto kPart = std::chrono::milliseconds(3'000);\n"},
    "there is no kPart in src/a.cpp": {"src/a.cpp": ""},
    "inner_timeout_ms does not fit into whole_deadline_ms": {
        DOCUMENT: HEAD + WHOLE + INNER.replace("20", "601"),
        TABLE: 'integer("whole_deadline_ms", "600", "",\ninteger("inner_timeout_ms", "601", "",\n'},
    "the parent of inner_timeout_ms, is not in the table": {DOCUMENT: HEAD + INNER},
    "there is no test A.Ends": {"tests/a_test.cpp": "\n"},
    "no test shows that inner_timeout_ms ends": {DOCUMENT: HEAD + WHOLE + INNER.replace(" `A.Ends` ", " ")},
}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
