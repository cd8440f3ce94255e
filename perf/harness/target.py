"""The proxy under test: a proxy that is already running, or a proxy that the check starts in front of its origin."""

import argparse
import os
import sys

from . import peers, servers
from .processes import Failure, Process, Stack

SCALE = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def parser(description):
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--proxy", default="larder", choices=["larder", "haproxy"],
                       help="the proxy to start; haproxy tests the check itself")
    found.add_argument("--at", type=int, metavar="PORT", help="check a proxy that is already running on 127.0.0.1")
    found.add_argument("--pid", type=int, help="the process id of that proxy, for memory figures")
    found.add_argument("--origin", type=int, metavar="PORT", default=0,
                       help="the port at which that proxy expects its origin; the check listens there")
    found.add_argument("--keep", action="store_true", help="keep the scratch folder with all logs")
    return found


def size(text):
    """Reads a size such as 5g or 64k as bytes."""
    text = text.lower()
    unit = text[-1] if text[-1] in "kmg" else ""
    return int(text[: len(text) - len(unit)]) * SCALE[unit]


class Running(Process):
    """A process that this program did not start: it is read, never stopped."""

    def __init__(self, pid):
        self.name, self.pid, self.log = "proxy", pid, os.devnull

    def alive(self):
        return os.path.exists(f"/proc/{self.pid}")

    def stop(self, patience=0):
        pass


def proxy(stack, options, origin, head_timeout=10, **more):
    """The proxy in front of the origin's port. `head_timeout` is in seconds; `more` goes to Larder's YAML."""
    if options.at:
        return servers.Server("proxy", Running(options.pid) if options.pid else None, options.at)
    if options.proxy == "haproxy":
        return peers.haproxy(stack, origin, head_timeout=head_timeout)
    more.setdefault("extra", f"limits: {{ headTimeout: {head_timeout}s }}")
    return servers.larder(stack, origin, threads=2, **more)


class Verdict:
    """Collects and prints faults. `close` returns 0 without faults, 1 with faults."""

    def __init__(self, name):
        self.name, self.faults = name, []

    def check(self, holds, message):
        if not holds:
            self.faults.append(message)
            print(f"  WRONG: {message}")
        return holds

    def close(self):
        print(f"{self.name}: {'ok' if not self.faults else f'{len(self.faults)} faults'}")
        return 1 if self.faults else 0


def run(name, check, options):
    """Runs `check(stack, options, verdict)`, stops everything that it started in any case, and exits."""
    verdict = Verdict(name)
    try:
        with Stack(options.keep) as stack:
            check(stack, options, verdict)
    except Failure as failure:
        verdict.check(False, str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(verdict.close())
