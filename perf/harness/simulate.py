"""Prints hit ratios by libCacheSim as JSON. harness/ratios.py runs it with a Python that has libCacheSim."""

import json
import os
import sys

import libcachesim

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import trace  # noqa: E402

POLICIES = {
    "FIFO": libcachesim.FIFO, "LRU": libcachesim.LRU, "SIEVE": libcachesim.Sieve,
    "S3-FIFO": libcachesim.S3FIFO, "W-TinyLFU": libcachesim.WTinyLFU, "GDSF": libcachesim.GDSF,
}


def hit_ratio(policy, requests, capacity):
    cache = POLICIES[policy](capacity)
    request = libcachesim.Request()
    hits = 0
    for number, (identity, size) in enumerate(requests):
        request.obj_id, request.obj_size, request.clock_time = identity, size, number
        hits += bool(cache.get(request))
    return hits / len(requests)


def main():
    found = {}
    # An object of NASA counts as its size plus 300 bytes for head, key and record.
    for name, overhead in (("nasa", 300), ("web07", 0)):
        requests = [(identity, size + overhead) for identity, size in getattr(trace, name)()]
        for share in map(float, sys.argv[1:]):
            capacity = int(trace.footprint(requests) * share)
            found[f"{name} {share}"] = {
                policy: hit_ratio(policy, requests, capacity) for policy in POLICIES}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
