"""Every .cpp file is compiled by the build, and every .hpp file is included by another file.

What is compiled is read from compile_commands.json of the build folder in CHECKED_BUILD (default: build/release).
The folders looked at are in CHECKED_FOLDERS; a build without benchmarks leaves bench out.
"""
import json
import os
import pathlib
import re

import common

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def compiled_files(root):
    build = pathlib.Path(os.environ.get("CHECKED_BUILD", "build/release"))
    commands = json.loads((root / build / "compile_commands.json").read_text(encoding="utf-8"))
    return {(pathlib.Path(entry["directory"]) / entry["file"]).resolve() for entry in commands}


def included_files(root, folders):
    """The headers that other files include, by each of the include paths in use."""
    for path in common.files(root, ".cpp", ".hpp", under=folders):
        for _, line in common.lines(path):
            match = INCLUDE.match(line)
            if match:
                for base in (root / "src", root / "tests", root / "bench", path.parent):
                    target = (base / match.group(1)).resolve()
                    if target != path:
                        yield target


def check(root):
    root = root.resolve()
    folders = os.environ.get("CHECKED_FOLDERS", "src apps tests bench").split()
    compiled = compiled_files(root)
    included = set(included_files(root, folders))
    found = []
    for path in common.files(root, ".cpp", ".hpp", under=folders):
        if path.suffix == ".cpp" and path not in compiled:
            found.append(f"{path.relative_to(root)}: no CMake target compiles it")
        if path.suffix == ".hpp" and path not in included:
            found.append(f"{path.relative_to(root)}: no other file includes it")
    return found


def commands(*names):
    return json.dumps([{"directory": "@ROOT@/build", "file": f"@ROOT@/{name}"} for name in names])


GOOD = {
    "build/release/compile_commands.json": commands("src/text/words.cpp", "tests/text/words_test.cpp"),
    "src/text/words.cpp": '#include "text/words.hpp"\n',
    "src/text/words.hpp": "\n",
    "tests/text/words_test.cpp": '#include "text/words.hpp"\n#include "support/clock.hpp"\n',
    "tests/support/clock.hpp": "\n",
}
BAD = {
    "tests/text/new_test.cpp: no CMake target": {"tests/text/new_test.cpp": "\n"},
    "bench/speed.cpp: no CMake target": {"bench/speed.cpp": "\n"},
    "src/text/lonely.hpp: no other file": {"src/text/lonely.hpp": '#include "text/lonely.hpp"\n'},
}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
