"""Starts servers and load, and stops all of them by process id, however the program ends.

All processes of a run belong to one `Stack` and end with it: at the end of its `with` block, after Ctrl-C or TERM, and
by the kernel's parent-death signal if this program is killed.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """The run cannot continue, or a check has failed. The message is for the reader."""


def free_port():
    """A free port of 127.0.0.1, chosen by the kernel."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cores():
    return sorted(os.sched_getaffinity(0))


def run_on(chosen, arguments):
    """Runs a short program on these cores. Returns its output."""
    return subprocess.run(arguments, check=True, capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, chosen)).stdout


class Process:
    """A child process. `cpu()` and `memory()` read /proc."""

    def __init__(self, name, child, log):
        self.name, self.child, self.log = name, child, log
        self.pid = child.pid

    def alive(self):
        return self.child.poll() is None

    def family(self):
        """The process ids of the child and of all its descendants."""
        found = [self.pid]
        for pid in found:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as file:
                        found += [int(child) for child in file.read().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def cpu(self):
        """The user and system time of all threads of the process and its children, in seconds."""
        ticks = 0
        for pid in self.family():
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return ticks / TICKS

    def memory(self):
        """A value of /proc/PID/smaps_rollup (Rss, Pss, Pss_Anon, …) in bytes, with the children's values added."""
        sums = {}
        for pid in self.family():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                for match in re.finditer(r"(\w+):\s+(\d+) kB", file.read()):
                    sums[match[1]] = sums.get(match[1], 0) + int(match[2]) * 1024
        return sums

    def rss(self):
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, patience=5):
        if self.alive():
            self.child.terminate()
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()

    def tail(self, lines=15):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-lines:])


class Stack:
    """All processes of a run and their scratch folder."""

    def __init__(self, keep=False):
        self.folder = tempfile.mkdtemp(prefix="larder-perf-")
        os.chmod(self.folder, 0o755)
        self.processes = []
        self.keep = keep

    def __enter__(self):
        def unwind(number, _frame):
            raise SystemExit(128 + number)

        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, unwind)
        return self

    def __exit__(self, *_):
        # A second Ctrl-C must not leave processes running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for process in reversed(self.processes):
            process.stop()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def start(self, name, arguments, core=None, stdout=None):
        """Starts a child on `core`. Its output goes to a log file, or its stdout to the given pipe."""

        def prepare():
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if core is not None:
                os.sched_setaffinity(0, {core})

        log = self.path(f"{name}-{len(self.processes)}.log")
        try:
            with open(log, "w") as output:
                child = subprocess.Popen(
                    arguments, stdin=subprocess.DEVNULL, stdout=stdout or output, stderr=output,
                    preexec_fn=prepare, start_new_session=True)
        except OSError as error:
            raise Failure(f"{arguments[0]}: {error.strerror}") from error
        process = Process(name, child, log)
        self.processes.append(process)
        return process

    def listening(self, process, port, seconds=15):
        """Waits until `port` of 127.0.0.1 accepts connections."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not process.alive():
                raise Failure(f"{process.name} ended with {process.child.returncode}:\n{process.tail()}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failure(f"{process.name} does not listen on {port} after {seconds} s:\n{process.tail()}")
