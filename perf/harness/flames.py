"""Folds stacks and draws them as a flame graph: an SVG without scripts, for light and dark."""

import re
import subprocess
import zlib
from xml.sax.saxutils import escape, quoteattr

from .processes import Failure

WIDTH, ROW, SIDE, TOP, LEAST = 1200, 17, 10, 34, 0.4


class Node:
    def __init__(self):
        self.count, self.children = 0, {}

    def add(self, stack, count):
        node = self
        node.count += count
        for name in stack:
            node = node.children.setdefault(name, Node())
            node.count += count

    def depth(self):
        return 1 + max((child.depth() for child in self.children.values()), default=0)


def sampled(perf, data, demangle):
    """The tree of a `perf record -g` file. Names of kernel frames end with `_[k]`."""
    done = subprocess.run([perf, "script", "-i", data, "-F", "ip,sym,dso"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"perf script failed:\n{done.stderr[-800:]}")
    tree, samples, names = Node(), [], set()
    for block in done.stdout.split("\n\n"):
        stack = []
        for line in block.splitlines():
            match = re.match(r"\s*[0-9a-f]+ (.*?)(?:\+0x[0-9a-f]+)? \((.*)\)$", line)
            if match:
                kernel = "kernel" in match[2] or "vmlinux" in match[2]
                stack.append((match[1], kernel))
                names.add(match[1])
        if stack:
            samples.append(stack[::-1])
    readable = demangle(sorted(names))
    for stack in samples:
        tree.add([readable[name] + ("_[k]" if kernel else "") for name, kernel in stack], 1)
    return tree


def called(profile, demangle, deepest=40):
    """The tree of a callgrind profile. It has callers and callees, not whole stacks, so the cost of a function is
    divided among its callers by their number of calls."""
    edges, inclusive = {}, dict(profile.own)
    for (caller, callee), cost in profile.calls.items():
        if caller != callee:
            edges.setdefault(caller, []).append((callee, cost))
            inclusive[caller] = inclusive.get(caller, 0) + cost
    readable = demangle(sorted(inclusive))
    callees = {callee for _, callee in profile.calls}
    tree = Node()

    def add(node, name, share, path):
        cost = inclusive.get(name, 0) * share
        if cost < profile.total / 4000 or name in path or len(path) > deepest:
            return
        child = node.children.setdefault(readable[name], Node())
        child.count += cost
        for callee, paid in edges.get(name, []):
            add(child, callee, share * paid / max(inclusive.get(callee, 1), 1), path | {name})

    for root in inclusive:
        if root not in callees:
            add(tree, root, 1, frozenset())
    tree.count = sum(child.count for child in tree.children.values())
    return tree


def colour(name):
    """A warm colour for Larder, blue for the kernel. A name always has the same colour."""
    shade = zlib.crc32(name.encode()) % 50
    if name.endswith("_[k]"):
        return f"rgb({90 + shade},{140 + shade},{190 + shade // 2})"
    return f"rgb({215 + shade // 2},{110 + shade * 2},{60 + shade})"


def draw(tree, title, unit):
    if not tree.count:
        raise Failure("no samples to draw")
    height = TOP + tree.depth() * ROW + SIDE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}">',
        "<style>text { font: 11px monospace; fill: #111 } .title { font: 13px system-ui, sans-serif; fill: #3c4043 }"
        " rect:hover { stroke: #000 } @media (prefers-color-scheme: dark) { .title { fill: #dadce0 } }</style>",
        f'<text class="title" x="{SIDE}" y="20">{escape(title)}</text>']
    frame(parts, tree, "all", SIDE, height - SIDE - ROW, (WIDTH - 2 * SIDE) / tree.count, tree.count, unit)
    return "\n".join(parts) + "\n</svg>\n"


def frame(parts, node, name, x, y, scale, total, unit):
    width = node.count * scale
    if width < LEAST:
        return
    tip = f"{name}: {node.count:,.0f} {unit}, {100 * node.count / total:.1f} %"
    parts.append(f'<g><title>{escape(tip)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
                 f'height="{ROW - 1}" rx="1" fill={quoteattr(colour(name))}/>')
    letters = int((width - 6) / 6.7)
    if letters >= 3:
        text = name if len(name) <= letters else name[: letters - 1] + "…"
        parts.append(f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(text)}</text>')
    parts.append("</g>")
    for child, below in sorted(node.children.items()):
        frame(parts, below, child, x, y - ROW, scale, total, unit)
        x += below.count * scale


def leaves(tree, most=25):
    """[(name, share)]: the functions in which samples ended, the most frequent first."""
    own = {}

    def walk(node, name):
        own[name] = own.get(name, 0) + node.count - sum(child.count for child in node.children.values())
        for child, below in node.children.items():
            walk(below, child)

    walk(tree, "all")
    return [(name, count / tree.count) for name, count in sorted(own.items(), key=lambda item: -item[1])[:most]]
