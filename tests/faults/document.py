"""docs/reliability.md: each program of this folder writes its own part, between two marks."""

import os

import machine

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "reliability.md")


# Of the machine before this program did anything: other work makes answers late.
LOAD_BEFORE = os.getloadavg()[0]


def began_busy():
    return f"load average before: {LOAD_BEFORE:.1f}"


def marks(script):
    return f"<!-- written by tests/faults/{script}.py --write-docs -->\n", f"<!-- end of what {script}.py wrote -->\n"


def with_part(text, script, part):
    begin, end = marks(script)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"docs/reliability.md has no place for {script}: {begin.strip()} … {end.strip()}")
    return text.split(begin)[0] + begin + part + text.split(begin)[1][text.split(begin)[1].index(end) :]


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def write(script, part):
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    text = with_part(text, script, f"Measured on {machine.description()}; {began_busy()}.\n\n{part}")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"written: docs/reliability.md, the part of {script}.py")
