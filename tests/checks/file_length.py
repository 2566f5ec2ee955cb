"""No source file is longer than a reader can hold: 450 lines."""
import common

MOST_LINES = 450
SUFFIXES = (".cpp", ".hpp", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", "Makefile")


def check(root):
    found = []
    for path in common.files(root, *SUFFIXES):
        count = sum(1 for _ in common.lines(path))
        if count > MOST_LINES:
            found.append(f"{path.relative_to(root)}: {count} lines, more than {MOST_LINES}: where is the seam?")
    return found


GOOD = {"src/a.cpp": "\n" * MOST_LINES, "docs/table.md": "\n" * 1000}
BAD = {"src/b.cpp: 451 lines": {"src/b.cpp": "\n" * (MOST_LINES + 1)}, "run.sh: 500 lines": {"run.sh": "\n" * 500}}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
