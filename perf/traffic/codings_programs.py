"""curl, wget and headless Chromium for `codings`. Each fetches the list of files through Larder; the results are
compared with the files."""

import json
import os
import re
import subprocess

from codings_files import Tally
from harness import servers
from harness.processes import Failure

# Chromium uses loopback only, and sends no requests of its own.
QUIET = [
    "--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-domain-reliability", "--disable-sync",
    "--disable-breakpad", "--disable-extensions", "--disable-gpu", "--mute-audio",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost",
]
MODES = ["default", "no-cache", "reload"]

PAGE = """\
<!doctype html><meta charset="utf-8"><title>codings</title><pre id="result"></pre>
<script>
// Every file of the list in each mode of fetch: from the network, revalidated, from the network again. Lines:
// mode, number, status, SHA-256, Content-Encoding, Cache-Status.
const modes = MODES;
async function one(target, mode) {
    const answer = await fetch(target, { cache: mode });
    const body = await answer.arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
    const digest = Array.from(hash, byte => byte.toString(16).padStart(2, "0")).join("");
    return [answer.status, digest, answer.headers.get("content-encoding") || "",
            answer.headers.get("cache-status") || ""];
}
async function all() {
    const targets = await (await fetch("list.json")).json();
    performance.setResourceTimingBufferSize(modes.length * targets.length + 100);
    const lines = [];
    for (const mode of modes) {
        let next = 0;
        performance.clearResourceTimings();
        await Promise.all(Array.from({ length: 6 }, async () => {
            while (next < targets.length) {
                const number = next++;
                let found;
                try {
                    found = await one(targets[number], mode);
                } catch (error) {
                    found = [0, String(error), "", ""];
                }
                lines.push([mode, number, ...found].join("\\t"));
            }
        }));
        // A body that a 304 confirmed has a transfer size of 300 (Resource Timing, "validated").
        const entries = performance.getEntriesByType("resource");
        const confirmed = entries.filter(entry => entry.transferSize === 300 && entry.encodedBodySize > 0);
        lines.push([mode, "confirmed", confirmed.length].join("\\t"));
    }
    lines.push("end");
    document.getElementById("result").textContent = lines.join("\\n");
}
all();
</script>
"""


def finish(stack, process, seconds):
    """Waits for the end of a program. Returns its output."""
    try:
        output, _ = process.child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        process.stop()
        raise Failure(f"{process.name} did not end within {seconds} s\n{process.tail()}") from error
    stack.processes.remove(process)
    return output.decode(errors="replace")


def compare(tally, who, file, path):
    try:
        with open(path, "rb") as saved:
            body = saved.read()
    except OSError as error:
        tally.counts["errors"] += 1
        tally.fault(f"{who}: {file.target}: {error}")
        return
    if body != file.body:
        tally.counts["mismatches"] += 1
        tally.fault(f"{who}: {file.target}: {len(body)} bytes differ from the file's {len(file.body)}")


def curl(stack, port, files, name, host, options):
    """Runs one curl for all files, eight at a time."""
    folder = stack.path(name)
    os.makedirs(folder, exist_ok=True)
    lines = []
    for number, file in enumerate(files):
        lines.append(f'url = "http://127.0.0.1:{port}{file.target}"\noutput = "{folder}/{number}"')
    process = stack.start(name, [
        servers.program("curl"), "-q", "-sS", "--noproxy", "*", "-g", "-Z", "--parallel-max", "8", "-H",
        f"Host: {host}", *options, "-w",
        "%{urlnum}\t%{http_code}\t%{exitcode}\t%header{content-encoding}\t%header{cache-status}\n", "-K",
        stack.write(f"{name}.curl", "\n".join(lines) + "\n")], stdout=subprocess.PIPE)
    output, tally = finish(stack, process, 60), Tally()
    for line in output.splitlines():
        number, status, code, coding, cache = line.split("\t")
        tally.seen(cache, coding)
        if status != "200" or code != "0":
            tally.counts["errors"] += 1
            tally.fault(f"{name}: {files[int(number)].target}: status {status}, exit code {code}")
    if process.child.returncode or tally.counts["requests"] != len(files):
        tally.fault(f"{name} ended with {process.child.returncode} after {tally.counts['requests']} answers: "
                    f"{process.tail(3)}")
    for number, file in enumerate(files):
        path = os.path.join(folder, str(number))
        # curl with several URLs creates no file for an empty body.
        if file.body or os.path.exists(path):
            compare(tally, name, file, path)
    return tally


def wget(stack, port, files, name, host, options):
    """Runs one wget for all files, over one connection."""
    folder, log = stack.path(name), stack.path(f"{name}.log")
    base = f"http://127.0.0.1:{port}"
    urls = stack.write(f"{name}.urls", "".join(f"{base}{file.target}\n" for file in files))
    process = stack.start(name, [
        servers.program("wget"), "--no-config", "--no-proxy", "--tries=1", "--timeout=20", "-S", "-x", "-nH",
        "--restrict-file-names=unix,nocontrol", f"--header=Host: {host}", *options, "-P", folder, "-o", log,
        "-i", urls], stdout=subprocess.PIPE)
    finish(stack, process, 60)
    tally = Tally()
    with open(log, errors="replace") as file:
        text = file.read()
    # One piece for each answer: "HTTP/1.1 200 OK" and its indented fields.
    for piece in re.findall(r"^  HTTP/1\.1 .*\n(?:  .*\n)*", text, re.MULTILINE):
        fields = dict(line.strip().split(": ", 1) for line in piece.splitlines()[1:] if ": " in line)
        tally.seen(fields.get("Cache-Status", ""), fields.get("Content-Encoding", ""))
        if " 200 " not in piece.splitlines()[0]:
            tally.counts["errors"] += 1
            tally.fault(f"{name}: {piece.splitlines()[0].strip()}")
    if process.child.returncode or tally.counts["requests"] != len(files):
        tally.fault(f"{name} ended with {process.child.returncode} after {tally.counts['requests']} answers: "
                    + "".join(text.splitlines(True)[-3:]))
    by_target = {}
    # --2026-01-01 00:00:00--  http://…, and after it: Saving to: ‘…’
    saved = re.compile(r"^--[^\n]*--  (\S+)\n(?:(?!--).*\n)*?Saving to: .(.*).\n", re.MULTILINE)
    for url, path in saved.findall(text):
        by_target[url.removeprefix(base)] = path
    for file in files:
        compare(tally, name, file, by_target.get(file.target, os.path.join(folder, "missing")))
    return tally


def page(stack, files):
    """Creates the folder that the origin serves in addition to the files: the page and its list."""
    folder = stack.path("page/codings-page")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "index.html"), "w") as file:
        file.write(PAGE.replace("MODES", json.dumps(MODES)))
    with open(os.path.join(folder, "list.json"), "w") as file:
        json.dump([file.target for file in files], file)
    return stack.path("page")


def chromium(stack, port, files, host, seconds):
    """Loads the page of `files`. When its script ends, the page contains the results."""
    name = f"chromium-{host}"
    home = stack.path(name)
    os.makedirs(home, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    process = stack.start(name, [
        "/usr/bin/env", f"HOME={home}", f"XDG_CONFIG_HOME={home}", f"XDG_CACHE_HOME={home}",
        servers.program("chromium"), "--headless", *sandbox, *QUIET, f"--user-data-dir={home}/profile",
        f"--virtual-time-budget={seconds * 1000}", "--dump-dom",
        f"http://{host}:{port}/codings-page/index.html"], stdout=subprocess.PIPE)
    output, tally = finish(stack, process, seconds), Tally()
    found = re.search(r'<pre id="result">(.*?)</pre>', output, re.DOTALL)
    lines = found[1].splitlines() if found else []
    for line in lines:
        parts = line.split("\t")
        if parts[1:2] == ["confirmed"]:
            tally.counts[f"confirmed by 304 ({parts[0]})"] += int(parts[2])
        elif len(parts) == 6:
            mode, number, status, digest, coding, cache = parts
            tally.seen(cache, coding)
            if status != "200" or digest != files[int(number)].digest:
                kind = "mismatches" if status == "200" else "errors"
                tally.counts[kind] += 1
                target = files[int(number)].target
                tally.fault(f"{name}: {target} ({mode}): {status} {digest} {coding}; {cache}")
    if not lines or lines[-1] != "end" or tally.counts["requests"] != len(MODES) * len(files):
        tally.fault(f"{name}: {tally.counts['requests']} results of {len(MODES) * len(files)} in the page\n"
                    + process.tail(5))
    return tally
