"""Reads a callgrind profile: instructions in total and by function, calls of allocators, callers and callees."""

import re
from collections import defaultdict

from .processes import Failure

ALLOCATORS = re.compile(r"^(malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc)(@@.*)?$")
NAME = re.compile(r"c?fn=\((\d+)\)(?: (.*))?")


class Profile:
    def __init__(self, path):
        # A function's own instructions, and the inclusive instructions of each (caller, callee).
        self.own, self.calls = defaultdict(int), defaultdict(int)
        self.allocations = 0
        self.read(path)

    @property
    def total(self):
        return sum(self.own.values())

    def read(self, path):
        names, function, callee, inclusive = {}, "?", "?", False

        def named(line):
            # The first line has "(17) malloc", later lines only "(17)". A 'N at the end is the depth of a recursion.
            match = NAME.match(line)
            if match[2]:
                names[match[1]] = re.sub(r"'\d+$", "", match[2])
            return names[match[1]]

        with open(path, errors="replace") as file:
            for line in file:
                line = line.rstrip("\n")
                if line.startswith("fn="):
                    function = named(line)
                elif line.startswith("cfn="):
                    callee = named(line)
                elif line.startswith("calls="):
                    inclusive = True
                    if ALLOCATORS.match(callee):
                        self.allocations += int(line[6:].split()[0])
                elif line[:1] in "0123456789+-*" and line:
                    cost = int(line.split()[1])
                    if inclusive:
                        self.calls[function, callee] += cost
                    else:
                        self.own[function] += cost
                    inclusive = False
        if not self.own:
            raise Failure(f"callgrind wrote no profile to {path}")

    def minus(self, other):
        """The own instructions of each function, minus those of a second profile."""
        return {name: cost - other.own.get(name, 0) for name, cost in self.own.items()}
