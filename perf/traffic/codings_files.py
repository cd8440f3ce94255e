"""The parts that the clients of `codings` share: the files, the origin's fields for them, counts and faults."""

import gzip
import hashlib
import os
import random
import re
from collections import Counter, defaultdict
from urllib.parse import quote

ROOT = "/usr/share"
LARGEST = 64 << 10
# Up to SHARE files of each of these suffixes; then the rest from all suffixes in turn.
WANTED = ["html", "htm", "js", "css", "json", "svg", "txt", "xml", "png", "gz", "md", "gif", "ico", ""]
SHARE = 330
# The types that the policies list, as wildcards and in full.
COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")
MINIMUM = 512
# The order in which counts are printed; other counts follow by name.
ORDER = ["requests", "misses", "hits", "passed", "identity", "gzip", "br", "zstd", "304", "206"]


class File:
    """A file in its state at the beginning of the check."""

    __slots__ = ("path", "target", "body", "tag", "modified", "type", "digest", "shrinks")

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.body = file.read()
            status = os.fstat(file.fileno())
        self.target = quote(os.fsencode(path)[len(ROOT):])
        # In the form of nginx.
        self.tag = f'"{int(status.st_mtime):x}-{status.st_size:x}"'
        self.digest = hashlib.sha256(self.body).hexdigest()
        # The file certainly shrinks in every coding.
        self.shrinks = len(gzip.compress(self.body, 1)) < len(self.body) * 3 / 4
        # The origin's fields, after the first request to it.
        self.type = self.modified = ""

    @property
    def compressible(self):
        return len(self.body) >= MINIMUM and self.type.startswith(COMPRESSED)

    def changed(self):
        try:
            with open(self.path, "rb") as file:
                return file.read() != self.body
        except OSError:
            return True


def suffix(path):
    return os.path.splitext(path)[1][1:].lower()


def choose(count):
    """`count` readable files of up to 64 KiB and of many kinds, always the same ones."""
    by_suffix = defaultdict(list)
    for folder, _, names in os.walk(ROOT):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path) or not os.access(path, os.R_OK):
                continue
            if os.path.getsize(path) <= LARGEST:
                by_suffix[suffix(path)].append(path)
    for kind, paths in by_suffix.items():
        paths.sort()
        random.Random(kind).shuffle(paths)
    chosen = []
    for kind in WANTED:
        chosen += by_suffix[kind][:SHARE]
        del by_suffix[kind][:SHARE]
    while len(chosen) < count and any(by_suffix.values()):
        for kind in sorted(by_suffix):
            if by_suffix[kind]:
                chosen.append(by_suffix[kind].pop())
    chosen = chosen[:count]
    random.Random(count).shuffle(chosen)
    return [File(path) for path in chosen]


class Tally:
    """Counts by name, and faults as text. The tallies of several processes are added."""

    def __init__(self):
        self.counts, self.faults = Counter(), []

    def fault(self, text):
        self.faults.append(text)

    def add(self, other):
        self.counts += other.counts
        self.faults += other.faults
        return self

    def seen(self, status, coding):
        """Counts an answer by its Cache-Status and Content-Encoding."""
        self.counts["requests"] += 1
        self.counts["hits" if "; hit" in status else "misses" if "fwd=miss" in status else "passed"] += 1
        self.counts[coding or "identity"] += 1
        reason = re.search(r"; detail=([\w-]+)", status)
        if reason:
            self.counts[f"detail={reason[1]}"] += 1

    def __str__(self):
        """The counts as text, the usual ones first."""
        names = [name for name in ORDER if name in self.counts]
        names += sorted(name for name in self.counts if name not in ORDER)
        return ", ".join(f"{self.counts[name]} {name}" for name in names) or "nothing"


def accepts(field, coding):
    """Does this Accept-Encoding accept this coding (RFC 9110 §12.5.3)?"""
    weights = {}
    for member in field.lower().split(","):
        name, _, weight = (part.strip() for part in member.partition(";"))
        weights[name] = float(weight.partition("=")[2]) if weight else 1
    if coding in weights:
        return weights[coding] > 0
    return weights.get("*", 1 if coding == "identity" else 0) > 0
