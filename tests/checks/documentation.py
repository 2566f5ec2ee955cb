"""Every folder of src/ has a README.md, and every relative link in the documents leads somewhere."""
import re
import urllib.parse

import common

LINK = re.compile(r"\[[^\]\[]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
CODE = re.compile(r"`[^`]*`")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|#)", re.I)


def check_links(root, path):
    fenced = False
    for number, line in common.lines(path):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for target in LINK.findall(CODE.sub("", line)):
            if ELSEWHERE.match(target):
                continue
            name = urllib.parse.unquote(target.split("#")[0])
            if not (path.parent / name).exists():
                yield f"{path.relative_to(root)}:{number}: the link to {target} leads nowhere"


def check(root):
    found = []
    for folder in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        has_code = next(common.files(folder, ".cpp", ".hpp"), None) is not None
        if has_code and not (folder / "README.md").is_file():
            found.append(f"{folder.relative_to(root)}: no README.md says what the module is for")
    for path in common.files(root, ".md"):
        found.extend(check_links(root, path))
    return found


GOOD = {
    "src/text/words.hpp": "\n",
    "src/text/README.md": "See [the formats](../../docs/formats/tokens.md#bytes), [us](https://example.com/none.md), [below](#below).\n",
    "docs/formats/tokens.md": "`[not](a-link.md)`\n```\n[nor](this.md)\n```\n[folder](../formats)\n",
}
BAD = {
    "src/nn: no README.md": {"src/nn/layer.cpp": "\n"},
    "a.md:2: the link to missing.md leads nowhere": {"docs/a.md": "\nSee [it](missing.md).\n"},
    "the link to ../gone.md#part leads": {"docs/a.md": "See [it](../gone.md#part).\n"},
}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
