"""Includes and CMake dependencies point down the module list only.

The list is the foreach over src/ in the root CMakeLists.txt, lowest module first.
"""
import re

import common

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
LIBRARY = re.compile(r"\bscalestyle_(\w+)")
NOT_MODULES = {"module", "test", "options"}


def module_order(root):
    text = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    match = re.search(r"foreach\(module\s+([^)]*)\)", text)
    return match.group(1).split() if match else []


def module_of_library(name, order):
    """scalestyle_adapters_embedded belongs to adapters."""
    return next((module for module in order if name == module or name.startswith(module + "_")), None)


def check_source(path, where, module, order):
    for number, line in common.lines(path):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1).split("/")[0]
        if target not in order:
            yield f'{where}:{number}: "{match.group(1)}" does not begin with a module of src/'
        elif order.index(target) > order.index(module):
            yield f"{where}:{number}: {module} includes {target}, which lies above it"


def check_cmake(path, where, module, order):
    for number, line in common.lines(path):
        for name in LIBRARY.findall(line.split("#")[0]):
            if name in NOT_MODULES:
                continue
            target = module_of_library(name, order)
            if target is None:
                yield f"{where}:{number}: scalestyle_{name} belongs to no module of src/"
            elif order.index(target) > order.index(module):
                yield f"{where}:{number}: {module} depends on {target}, which lies above it"


def check(root):
    order = module_order(root)
    if not order:
        return ["CMakeLists.txt: no foreach(module …) that lists the modules of src/"]
    found = []
    for path in common.files(root, ".cpp", ".hpp", ".h", "CMakeLists.txt", under=("src",)):
        where = path.relative_to(root)
        module = where.parts[1]
        if len(where.parts) < 3 or module not in order:
            found.append(f"{where}: lies in no module that CMakeLists.txt lists")
            continue
        check_file = check_cmake if path.name == "CMakeLists.txt" else check_source
        found.extend(check_file(path, where, module, order))
    return found


GOOD = {
    "CMakeLists.txt": "foreach(module core text\n  http)\nendforeach()\n",
    "src/text/CMakeLists.txt": "scalestyle_module(text SOURCES words.cpp DEPENDS scalestyle_core)  # not scalestyle_http\n",
    "src/text/words.cpp": '#include "text/words.hpp"\n#include "core/result.hpp"\n#include <vector>\n',
}
BAD = {
    "text includes http": {"src/text/words.cpp": '#include "http/server.hpp"\n'},
    "words.cpp:2: text includes http": {"src/text/words.cpp": '\n  #  include "http/server.hpp"\n'},
    "core includes text": {"src/core/deep/a.hpp": '#include "text/words.hpp"\n'},
    "text depends on http": {"src/text/CMakeLists.txt": "scalestyle_module(text DEPENDS scalestyle_http_client)\n"},
    "belongs to no module": {"src/text/CMakeLists.txt": "scalestyle_module(text DEPENDS scalestyle_misc)\n"},
    "does not begin with a module": {"src/text/words.cpp": '#include "../http/server.hpp"\n'},
    "lies in no module": {"src/extra/a.cpp": "\n"},
    "no foreach(module": {"CMakeLists.txt": "project(x)\n"},
}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
