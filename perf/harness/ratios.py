"""Hit ratios on traces: Larder's real Store and exact simulations (libCacheSim) at equal memory."""

import json
import os
import subprocess
import sys

from . import servers
from .processes import Failure

SHARES = ("0.01", "0.05", "0.2")
PACKAGE = "libcachesim==0.3.5"


def interpreter():
    """A Python with libCacheSim, in a virtual environment under ~/.cache; None if it cannot be installed."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "larder-perf", "venv")
    python = os.path.join(folder, "bin/python")

    def works():
        return os.path.exists(python) and subprocess.run(
            [python, "-c", "import libcachesim"], capture_output=True).returncode == 0

    if works():
        return python
    print(f"installing {PACKAGE} into {folder} …", file=sys.stderr)
    for command in ([sys.executable, "-m", "venv", folder], [python, "-m", "pip", "-q", "install", PACKAGE]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"no simulation: {error}", file=sys.stderr)
            return None
        if done.returncode != 0:
            print(f"no simulation: {' '.join(command)}: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return None
    return python if works() else None


def measure():
    """{"nasa 0.05": {"FIFO": …, "Larder's Store": …}}"""
    found = {}
    python = interpreter()
    if python:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "simulate.py")
        done = subprocess.run([python, script, *SHARES], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"libCacheSim failed:\n{done.stderr[-1000:]}")
        # Its C code may also write to stdout: the result is the last line.
        found = json.loads(done.stdout.strip().splitlines()[-1])
    for name in ("nasa", "web07"):
        for share in SHARES:
            done = subprocess.run([servers.build("replay"), name, share], capture_output=True, text=True)
            if done.returncode != 0:
                raise Failure(f"replay {name} {share} failed:\n{done.stderr[-1000:]}")
            line = dict(part.split("=") for part in done.stdout.split())
            row = found.setdefault(f"{name} {float(share)}", {})
            row["Larder's Store"] = int(line["hits"]) / int(line["requests"])
    return found
