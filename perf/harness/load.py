"""Runs wrk and reads its output."""

import re
import subprocess

from .processes import Failure
from .servers import program


class Load:
    """The figures of one wrk run."""

    def __init__(self, text):
        def number(pattern, default=None):
            match = re.search(pattern, text)
            if not match and default is None:
                raise Failure(f"wrk said:\n{text}")
            return float(match[1]) if match else default

        self.requests = int(number(r"(\d+) requests in"))
        self.rate = number(r"Requests/sec:\s+([\d.]+)")
        self.refused = int(number(r"Non-2xx or 3xx responses: (\d+)", 0))
        match = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        self.errors = sum(int(value) for value in match.groups()) if match else 0
        self.text = text


def wrk(stack, url, core=None, connections=64, seconds=4, script=None, threads=1, fields=()):
    arguments = [program("wrk"), f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for name, value in fields:
        arguments += ["-H", f"{name}: {value}"]
    if script:
        arguments += ["-s", script]
    process = stack.start("wrk", arguments + [url], core, stdout=subprocess.PIPE)
    output = process.child.stdout.read().decode()
    if process.child.wait() != 0:
        raise Failure(f"wrk failed:\n{output}{process.tail()}")
    stack.processes.remove(process)
    return Load(output)
