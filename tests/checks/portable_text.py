"""No file names one machine's paths, a package registry's host, or how the work was organised.

The patterns are written in pieces so that this file passes its own check.
"""
import re

import common

MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:wo" r"rk|ro" r"ot|fa" r"rm)/")
REGISTRY_HOST = re.compile(
    r"deb\.debian\." r"org|security\.debian\." r"org|registry\.npmjs\." r"org|repo1?\.maven\." r"(?:org|apache\.org)|(?<![\w.])pypi\." r"org"
    r"|files\.pythonhosted\." r"org|(?<![\w.])crates\." r"io|proxy\.golang\." r"org")
WORKING_TALK = re.compile(
    r"\bissue[ #]+\d+\b|\b(?:DESIGN|STYLE|COMPONENTS|BASELINES|HELPER)(?:\.m" r"d\b| §)|\b(?:this|the) issue (?:asks|says|uses|wants)\b", re.I)
RULES = (
    (MACHINE_PATH, "a path of one machine"),
    (REGISTRY_HOST, "a registry's host name: its client knows it"),
    (WORKING_TALK, "how the work was organised: the product's text speaks of the product"),
)


# A published model configuration names its author's path, and its checksum pins every byte of it.
PUBLISHED_CONFIGURATION = "_name_or_path"


def is_binary(path):
    with path.open("rb") as file:
        return b"\0" in file.read(8192)


def check(root):
    found = []
    for path in common.files(root):
        if path.is_symlink() or is_binary(path):
            continue
        for number, line in common.lines(path):
            if PUBLISHED_CONFIGURATION in line:
                continue
            for pattern, meaning in RULES:
                match = pattern.search(line)
                if match:
                    found.append(f"{path.relative_to(root)}:{number}: “{match.group(0)}” is {meaning}")
    return found


GOOD = {
    "README.md": "Put the data into ../data/hm; the network/ro" "ot/cause is elsewhere. Design: see docs/ARCHITECTURE.md.\n",
    "build/notes.txt": "/wo" "rk/main is not looked at here\n",
    "models/manifest.json": '"_name_or_path": "/ro' 'ot/.cache/model"\n',
    "image.png": "\0/wo" "rk/main\n",
}
BAD = {
    "a.cpp:2: “/wo" "rk/” is a path": {"src/a.cpp": "\n// see /wo" "rk/main\n"},
    "run.sh:1: “/ro" "ot/” is a path": {"run.sh": "cd /ro" "ot/x\n"},
    "“registry.npmjs." "org” is": {"package-lock.json": '"resolved": "https://registry.npmjs.' 'org/x"\n'},
    "“deb.debian." "org” is": {"sources.list": "deb http://deb.debian." "org/debian bookworm main\n"},
    "“issue " "3” is": {"docs/a.md": "As issue " "3 says.\n"},
    "“DESIGN" " §” is": {"src/a.hpp": "// the ladder of DESIGN" " §6\n"},
}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
