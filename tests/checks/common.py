"""What the checks share: walking the repository's files, and the self-test that shows each check can fail.

A check is a function from the repository's root to a list of findings ("file:line: what is wrong"). Its
self-test builds small trees in a temporary folder: one that is right, and one for each way to be wrong.
"""
import argparse
import os
import pathlib
import sys
import tempfile

SKIPPED_FOLDERS = {".git", "build", "demo-data", "node_modules", "__pycache__"}


def files(root, *suffixes, under=("",)):
    """Yields the files of the repository, sorted, with one of `suffixes` (all when none is given)."""
    for folder in under:
        for path, folders, names in os.walk(root / folder):
            folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
            for name in sorted(names):
                if not suffixes or name.endswith(suffixes):
                    yield pathlib.Path(path) / name


def lines(path):
    """Yields (line number, line) of a text file."""
    yield from enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)


def self_test(check, good, bad):
    """`good` is a tree {path: text}; `bad` maps a part of the expected finding to what is laid over `good`."""
    failures = []
    for expected, overlay in [(None, {}), *bad.items()]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**good, **overlay}.items():
                if text is None:
                    continue
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text.replace("@ROOT@", folder), encoding="utf-8")
            found = check(root)
        if expected is None and found:
            failures.append(f"the right tree gave findings: {found}")
        if expected is not None and not any(expected in finding for finding in found):
            failures.append(f"expected a finding with {expected!r}, got {found}")
    for failure in failures:
        print(failure)
    print(f"self-test: {len(bad)} wrong trees, {len(failures)} failures")
    return 1 if failures else 0


def main(check, good, bad):
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("root", nargs="?", type=pathlib.Path, help="the repository")
    parser.add_argument("--self-test", action="store_true", help="show that the check can fail")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(self_test(check, good, bad))
    if arguments.root is None or not (arguments.root / "CMakeLists.txt").is_file():
        parser.error("give the repository's root")
    found = check(arguments.root.resolve())
    for finding in found:
        print(finding)
    print(f"{len(found)} findings")
    sys.exit(1 if found else 0)
