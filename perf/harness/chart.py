"""A bar chart as SVG: a panel for each row, a bar for each peer, relative to the longest bar. For light and dark."""

import statistics
from xml.sax.saxutils import escape

from . import rows
from .peers import NAMES

COLOURS = {"floor": "#9aa0a6", "larder": "#d9480f", "haproxy": "#4c7fb8", "nginx": "#4a9a5c",
           "varnish": "#8a6bb0", "h2o": "#b08a3e"}
WIDTH, LABEL, BAR, GAP, TITLE = 760, 90, 18, 5, 30

STYLE = """text { font: 13px system-ui, sans-serif; fill: #3c4043 }
.title { font-weight: 600 } .small { font-size: 12px }
@media (prefers-color-scheme: dark) { text { fill: #dadce0 } }"""


def draw(timed):
    """Draws {row: {peer: {"cost": […]}}}. A line on each bar shows the least and the greatest round."""
    shown = [row for row in rows.ROWS if row.name in timed and len(timed[row.name]) > 1]
    parts, top = [], 44
    for row in shown:
        costs = {peer: timed[row.name][peer]["cost"] for peer in NAMES if peer in timed[row.name]}
        scale = (WIDTH - LABEL - 110) / max(max(values) for values in costs.values())
        parts.append(f'<text class="title" x="8" y="{top + 14}">{escape(row.title)}</text>')
        top += TITLE - 8
        for peer, values in costs.items():
            parts += bar(peer, values, scale, top)
            top += BAR + GAP
        top += 16
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
            f'height="{top}" role="img">\n<title>CPU per request, microseconds</title>\n'
            f"<style>{STYLE}</style>\n"
            '<text class="small" x="8" y="22">CPU per request, µs: less is better. Median of the rounds; the '
            "line spans the least and the greatest. A scale a panel.</text>\n")
    return head + "\n".join(parts) + "\n</svg>\n"


def bar(peer, values, scale, top):
    median = statistics.median(values)
    middle, end = top + BAR / 2, LABEL + max(values) * scale
    return [
        f'<text class="small" x="{LABEL - 8}" y="{top + 13}" text-anchor="end">{NAMES[peer]}</text>',
        f'<rect x="{LABEL}" y="{top}" width="{max(median * scale, 1):.1f}" height="{BAR}" rx="2" '
        f'fill="{COLOURS[peer]}"/>',
        f'<path d="M{LABEL + min(values) * scale:.1f} {middle}H{end:.1f}" stroke="#80868b" '
        'stroke-width="2"/>',
        f'<text class="small" x="{max(end, LABEL + median * scale) + 8:.1f}" y="{top + 13}">{median:.1f}</text>',
    ]
