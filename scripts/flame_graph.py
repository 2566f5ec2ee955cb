"""usage: perf script -F comm,ip,sym | flame_graph.py TITLE > picture.svg : sampled stacks as a flame graph.

Width is the share of samples in a function and what it calls, callers below. What has less than half a per cent is left out.
"""
import html
import re
import sys

WIDTH, ROW, LEAST = 1200, 16, 0.005
HEAD = 40
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)?$")
SUFFIX = re.compile(r"\s*\[clone [^\]]*\]|@@?\w[\w.]*$|\.(?:actor|destroy|constprop|isra|part|cold)(?:\.\d+)?")


def short(name):
    """A function's name without arguments, template arguments and what every name of ours begins with."""
    name = SUFFIX.sub("", name).replace("(anonymous namespace)::", "").replace("operator()", "operator-call")
    kept, depth = [], 0
    for character in name:
        if character in "<(":
            depth += 1
        elif character in ">)":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(character)
    words = "".join(kept).replace("scalestyle::", "").split()
    while len(words) > 1 and words[-1] in ("const", "&", "&&"):
        words.pop()
    return words[-1].lstrip("&*") if words else "?"


def read_stacks(lines):
    """Each sample's functions, outermost first, below the name of its thread."""
    stack, thread = [], ""
    for line in lines:
        line = line.rstrip("\n")
        frame = FRAME.match(line)
        if frame:
            stack.append("?" if frame.group(1) in ("[unknown]", "") else short(frame.group(1)))
        elif line.strip():
            thread = line.strip()
        elif stack:
            yield [thread, *reversed(stack)]
            stack = []
    if stack:
        yield [thread, *reversed(stack)]


def fold(stacks):
    """A tree {name: [samples, children]}; frames without a name, and a function that calls itself, are one with their caller."""
    root, total = {}, 0
    for stack in stacks:
        total += 1
        level, last = root, None
        for name in stack:
            if name in ("?", last):
                continue
            node = level.setdefault(name, [0, {}])
            node[0] += 1
            level, last = node[1], name
    return root, total


def boxes(level, total, left=0.0, depth=0):
    """(left share, share, depth, name) of what is wide enough."""
    for name, (samples, children) in sorted(level.items()):
        share = samples / total
        if share >= LEAST:
            yield left, share, depth, name
            yield from boxes(children, total, left, depth + 1)
        left += share


def colour(name):
    """Of a name always the same; the kernel's are cold."""
    number = sum(ord(character) * (place + 1) for place, character in enumerate(name)) % 60
    return f"hsl({200 + number // 2} 45% 72%)" if name.startswith(("__x64_", "do_", "entry_", "sys_")) else f"hsl({10 + number} 80% 68%)"


def draw(title, level, total):
    placed = list(boxes(level, total))
    height = HEAD + ROW * (1 + max((depth for _, _, depth, _ in placed), default=0))
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">'
           f'<text x="8" y="22" font-size="15">{html.escape(title)} ({total:,} samples)</text>')
    for left, share, depth, name in placed:
        x, y, width = left * WIDTH, height - ROW * (depth + 1), share * WIDTH
        label = name if len(name) * 6.7 < width else name[:max(0, int(width / 6.7) - 1)]
        yield (f'<g><title>{html.escape(name)}: {100 * share:.1f} %</title>'
               f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" fill="{colour(name)}"/>'
               + (f'<text x="{x + 2:.1f}" y="{y + 11}">{html.escape(label)}</text>' if len(label) > 2 else "") + "</g>")
    yield "</svg>"


if __name__ == "__main__":
    tree, count = fold(read_stacks(sys.stdin))
    if count == 0:
        sys.exit("flame_graph: no stacks on standard input")
    print("\n".join(draw(sys.argv[1] if len(sys.argv) > 1 else "Processor time", tree, count)))
