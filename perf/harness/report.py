"""Makes Markdown tables from the figures of a run, to print, save and publish."""

import statistics
from dataclasses import dataclass

from . import rows
from .peers import NAMES


@dataclass
class Verdict:
    what: str
    figure: str
    limit: str
    kept: bool
    # The figure of only the rounds in which the cores were near each other.
    near: str = ""


def table(head, lines):
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
                     for line in [head, ["-" * width for width in widths], *lines]) + "\n"


def ratios(mine, theirs, kept=None):
    """(median, least, greatest) of the ratios of each round; None if there is no pair. `kept`: the rounds to count."""
    found = [a / b for a, b, keep in zip(mine, theirs, kept or [True] * len(mine)) if b and keep]
    return (statistics.median(found), min(found), max(found)) if found else None


def spread(ratio, digits=2):
    return f"{ratio[0]:.{digits}f} ({ratio[1]:.{digits}f}–{ratio[2]:.{digits}f})" if ratio else ""


class Report:
    def __init__(self, results):
        self.results = results
        self.timed = results.get("timed", {})

    def peers(self):
        return [peer for peer in NAMES if any(peer in row for row in self.timed.values())]

    def cost(self, row, peer):
        return self.timed.get(row, {}).get(peer, {}).get("cost", [])

    def near(self, row, peers):
        """For each round: were the cores near each other for all of these peers? The host of a virtual machine moves
        its cores. They are near if a cache line takes at most twice the best time between them."""
        distances = [self.timed.get(row, {}).get(peer, {}).get("distance", []) for peer in peers]
        everywhere = [figure for found in self.timed.values() for figures in found.values()
                      for figure in figures.get("distance", [])]
        return [max(round) <= 2 * min(everywhere) for round in zip(*distances)]

    def near_ratio(self, row, mine, theirs, peers):
        """The ratio of the near rounds and their number, as text; empty if all rounds are near or none is."""
        near = self.near(row, peers)
        ratio = ratios(mine, theirs, near)
        return f"{spread(ratio)}, {sum(near)} of {len(near)}" if ratio and not all(near) else ""

    def timed_tables(self):
        shown = [row for row in rows.ROWS if row.name in self.timed]
        if not shown:
            return ""
        lines, compared, close, rates = [], [], [], []
        others = [peer for peer in self.peers() if peer != "larder"]
        for row in shown:
            cells, against, each = [row.title], [row.title], [row.title]
            for peer in self.peers():
                figures = self.timed[row.name].get(peer)
                if not figures:
                    cells.append("")
                    each.append("")
                    continue
                cost, busy = statistics.median(figures["cost"]), statistics.median(figures["busy"])
                cells.append(f"{cost:.2f} ({min(figures['cost']):.2f}–{max(figures['cost']):.2f}), "
                             f"{busy * 100:.0f} %")
                each.append(f"{statistics.median(figures['rate']):,.0f}; {1e6 / cost:,.0f}")
            nearby = [row.title]
            for other in others:
                mine, theirs = self.cost(row.name, "larder"), self.cost(row.name, other)
                against.append(spread(ratios(mine, theirs)))
                nearby.append(self.near_ratio(row.name, mine, theirs, ("larder", other)))
            lines.append(cells)
            compared.append(against)
            close.append(nearby)
            rates.append(each)
        head = [""] + [NAMES[peer] for peer in self.peers()]
        text = ("## CPU per request\nThe microseconds of the server's user and system time: the median of the rounds "
                "(least–greatest), and how busy its core was.\n\n" + table(head, lines))
        if others and "larder" in self.peers():
            text += ("\nLarder's time divided by the other server's, within each round: median (least–greatest).\n\n"
                     + table([""] + [f"÷ {NAMES[peer]}" for peer in others], compared))
            if any(line[1:] != [""] * len(others) for line in close):
                text += ("\nThe same for only the rounds in which the server's core and the load generator's core "
                         "were near each other, and the number of these rounds.\n\n"
                         + table([""] + [f"÷ {NAMES[peer]}" for peer in others], close))
        text += ("\nRequests a second: as measured (if the server's core is not busy, the load generator is the "
                 "limit), and computed for a whole core at that cost. In the row \"a connection for each "
                 "request\" they are new connections a second.\n\n" + table(head, rates))
        for row, reason in self.results.get("missing", {}).items():
            text += f"\nNot measured: {row}: {reason}.\n"
        return text

    def latency_table(self):
        latency = self.results.get("latency")
        if not latency:
            return ""
        lines = []
        for peer, rounds in latency["rounds"].items():
            def median(name, rounds=rounds):
                return statistics.median(figures[name] for figures in rounds)
            p999 = [figures["p999"] for figures in rounds]
            lines.append([NAMES[peer], f"{median('p50'):.0f}", f"{median('p99'):.0f}",
                          f"{median('p999'):.0f} ({min(p999)}–{max(p999)})", f"{median('max'):.0f}",
                          f"{median('lag'):.0f}", f"{median('busy') * 100:.0f} %", f"{median('cpu'):.2f}"])
        text = (f"## Latency at half load\n1 KiB hits, 64 connections, {latency['rate']:,} requests a second "
                "for each: half of what the slower one can do. Microseconds from the time at which a request was "
                "due; medians of the rounds.\n\n"
                + table(["", "p50", "p99", "p99.9 (least–greatest)", "worst", "client's lag p99.9", "busy",
                         "CPU per request"], lines))
        ratio = self.latency_ratio()
        if not ratio:
            return text
        return text + f"\np99.9 of Larder divided by that of HAProxy, within each round: {spread(ratio)}\n"

    def latency_ratio(self):
        rounds = self.results.get("latency", {}).get("rounds", {})
        if not {"larder", "haproxy"} <= rounds.keys():
            return None
        return ratios(*([figures["p999"] for figures in rounds[peer]] for peer in ("larder", "haproxy")))

    def memory_table(self):
        idle, objects = self.results.get("idle", {}), self.results.get("objects", {})
        peers = [peer for peer in NAMES if peer in idle or peer in objects]
        if not peers:
            return ""
        lines = []
        if idle:
            lines.append(["idle keep-alive connection, bytes of the process"]
                         + [f"{idle[peer]:,.0f}" if peer in idle else "" for peer in peers])
        if objects:
            lines.append(["objects of 1 KiB held in 64 MiB"]
                         + [f"{objects[peer]['held']:,}" if peer in objects else "" for peer in peers])
            lines.append(["memory of the whole process after that, MiB"]
                         + [f"{objects[peer]['memory'] / 2**20:.0f}" if peer in objects else ""
                            for peer in peers])
        text = "## Memory\n\n" + table([""] + [NAMES[peer] for peer in peers], lines)
        if many := self.results.get("many"):
            text += f"\nThe cost of a hit among 1 000 000 objects divided by that among 1 000: {many:.2f}\n"
        return text

    def hit_tables(self):
        text = ""
        if found := self.results.get("ratio"):
            policies = list(dict.fromkeys(policy for row in found.values() for policy in row))
            lines = []
            for key, row in found.items():
                name, share = key.split(" ")
                lines.append([f"{ {'nasa': 'NASA'}.get(name, name) }, {float(share) * 100:.0f} %"]
                             + [f"{row[policy]:.3f}" if policy in row else "" for policy in policies])
            text += ("## Hit ratio: policies\nTraces at equal memory, a share of the footprint. libCacheSim simulates "
                     "the policies exactly; the simulations need no memory for themselves. Larder's real Store uses "
                     "a part of the memory for its index, ghosts, free segments and unused ends of segments."
                     "\n\n"
                     + table([""] + policies, lines) + "\n")
        if found := self.results.get("replay"):
            peers = list(dict.fromkeys(peer for row in found.values() for peer in row))
            text += ("## Hit ratio: for real\nThe NASA trace as requests to one proxy after the other, with the same "
                     "origin and the same configured cache memory. A request that does not reach the origin is "
                     "a hit.\n\n"
                     + table([""] + [NAMES[peer] for peer in peers],
                             [[f"{size} MiB"] + [f"{row[peer]:.3f}" if peer in row else "" for peer in peers]
                              for size, row in found.items()]))
        return text

    def count_table(self):
        counts = self.results.get("counts")
        if not counts:
            return ""
        peers = list(dict.fromkeys(peer for row in counts.values() for peer in row))
        lines = [[kind] + [f"{row[peer]['instructions']:,.0f}; {abs(row[peer]['allocations']):.1f}"
                           if peer in row else "" for peer in peers] for kind, row in counts.items()]
        text = ("## Instructions and allocations\nUser-space instructions for each answer; calls of malloc and "
                "similar functions. There is one request at a time, with a turn of the loop for each.\n\n"
                + table([""] + [NAMES[peer] for peer in peers], lines))
        for kind, row in counts.items():
            if functions := row.get("larder", {}).get("functions"):
                text += (f"\nThe functions in which Larder spends them, {kind}: "
                         + "; ".join(f"{cost} `{name[:90]}`" for name, cost in functions) + ".\n")
        return text

    def verdicts(self):
        found = []
        for limit in rows.LIMITS:
            mine = self.cost(limit.row, "larder")
            theirs = [self.cost(limit.other_row or limit.row, peer) for peer in limit.against]
            if not mine or not all(theirs):
                continue
            least = [min(costs) for costs in zip(*theirs)]
            ratio = ratios(mine, least)
            title = next(row.title for row in rows.ROWS if row.name == limit.row)
            other = next((row.title for row in rows.ROWS if row.name == limit.other_row), None) or (
                " or ".join(NAMES[peer] for peer in limit.against)
                + (", the better" if len(limit.against) > 1 else ""))
            near = "" if limit.other_row else self.near_ratio(
                limit.row, mine, least, ("larder", *limit.against))
            found.append(Verdict(f"{title} ÷ {other}", spread(ratio), f"≤ {limit.share:.2f}",
                                 ratio[0] <= limit.share, near))
        if (idle := self.results.get("idle", {}).get("larder")) is not None:
            found.append(Verdict("idle connection, bytes", f"{idle:,.0f}", f"≤ {rows.IDLE_BYTES:.0f}",
                                 idle <= rows.IDLE_BYTES))
        if objects := self.results.get("objects", {}).get("larder"):
            found.append(Verdict("1 KiB objects in 64 MiB", f"{objects['held']:,}", f"≥ {rows.OBJECTS:,}",
                                 objects["held"] >= rows.OBJECTS))
        if ratio := self.latency_ratio():
            found.append(Verdict("p99.9 at half load ÷ HAProxy", spread(ratio), f"≤ {rows.LATENCY_RATIO:.2f}",
                                 ratio[0] <= rows.LATENCY_RATIO))
        for size, row in self.results.get("replay", {}).items():
            others = {peer: ratio for peer, ratio in row.items() if peer != "larder"}
            if "larder" in row and others:
                best = max(others, key=others.get)
                found.append(Verdict(f"hit ratio, NASA for real, {size} MiB", f"{row['larder']:.4f}",
                                     f"> {others[best]:.4f} ({NAMES[best]})", row["larder"] > others[best]))
        return found

    def verdict_table(self):
        verdicts = self.verdicts()
        if not verdicts:
            return ""
        return "## What Larder must reach\n\n" + table(
            ["", "figure", "limit", "", "rounds with the cores near each other"],
            [[v.what, v.figure, v.limit, "ok" if v.kept else "MISSED", v.near] for v in verdicts])

    def machine(self):
        versions = ", ".join(f"{name} {version}" for name, version in self.results.get("versions", {}).items())
        return f"{self.results.get('machine', '')}; {versions}\n"

    def text(self):
        parts = [self.machine(), self.verdict_table(), self.timed_tables(), self.latency_table(),
                 self.memory_table(), self.hit_tables(), self.count_table()]
        return "\n".join(part for part in parts if part)

    def published(self, chart):
        """The whole page: the figures, the chart and the configurations."""
        text = ("# Larder compared with its peers\n\n`make bench ARGUMENTS=--publish` writes this page. "
                "[perf/README.md](../perf/README.md) says how the figures are measured and how to read them. Read "
                f"the ratios: the absolute figures belong to this machine.\n\n![CPU per request]({chart})\n\n"
                + self.text())
        text += "\n## Configurations\n"
        for name, configuration in self.results.get("configurations", {}).items():
            text += f"\n### {name}\n```\n{configuration.rstrip()}\n```\n"
        return text
