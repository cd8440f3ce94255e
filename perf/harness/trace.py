"""Reads the traces of Tests/Traces in the same way as Tests/TraceReader."""

import gzip
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tests/Traces")


def nasa():
    """[(object, body bytes)] of GET 200 up to 64 KiB. An object has the size of its first response."""
    known, requests = {}, []
    with gzip.open(os.path.join(FOLDER, "nasa-1995-08-01.clf.gz"), "rt", encoding="latin-1") as lines:
        for line in lines:
            parts = line.rstrip("\n").split('"')
            if len(parts) != 3:
                continue
            request, answer = parts[1].split(" "), parts[2].split()
            request = [part for part in request if part]
            if len(request) < 2 or request[0] != "GET" or len(answer) != 2 or answer[0] != "200":
                continue
            size = int(answer[1]) if answer[1].isdigit() else 0
            if size <= 65536:
                requests.append(known.setdefault(request[1], (len(known), size)))
    return requests


def web07():
    """[(object, 1024)]"""
    with gzip.open(os.path.join(FOLDER, "web07.ids.gz"), "rt") as lines:
        return [(int(line), 1024) for line in lines if line.strip().isdigit()]


def footprint(requests):
    return sum(dict(requests).values())
