"""The Python clients for `codings`. http.client is used to check every field of an answer, the library requests decodes
by itself, and a client for ranges compares parts with the file."""

import gzip
import http.client
import multiprocessing

import brotli
import requests
import zstandard

from codings_files import Tally, accepts

# Values of Accept-Encoding with more than one coding, used in turn.
MIXES = [
    "gzip;q=0.5, br;q=0.8, zstd;q=0.9", "gzip, br;q=0", "br;q=0, zstd;q=0, *;q=0.1", "*", "GZIP ; q=0.001",
    "identity;q=0.5, zstd;q=0.1, gzip;q=0", "identity;q=0, gzip", "*;q=0, br", "deflate, zstd, *;q=0.5",
    "gzip;q=0, br;q=0, zstd;q=0", "", "gzip, deflate, br, zstd",
]
PIECE = 50


def decode(coding, body):
    """Decodes a body. Each exception of the library means a wrong body."""
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "br":
        return brotli.decompress(body)
    if coding == "zstd":
        # Use decompressobj, because the frame of a stream does not state its size.
        decoder = zstandard.ZstdDecompressor().decompressobj()
        found = decoder.decompress(body)
        if decoder.unused_data:
            raise ValueError("bytes behind the frame")
        return found
    if coding:
        raise ValueError(f"unknown coding {coding!r}")
    return body


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.fields = response.headers
        self.length = self.fields.get("Content-Length")
        self.coding = self.fields.get("Content-Encoding", "")
        self.tag = self.fields.get("ETag", "")
        self.cache = ", ".join(self.fields.get_all("Cache-Status", []))
        self.is_hit = "; hit" in self.cache

    @property
    def varies(self):
        names = ",".join(self.fields.get_all("Vary", [])).lower()
        return "accept-encoding" in [name.strip() for name in names.split(",")]


class Client:
    """A keep-alive connection of http.client, with its tally."""

    def __init__(self, port, tally):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.tally = tally

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def get(self, file, host, accept, **more):
        """Sends a request. Returns None if no whole answer arrived."""
        fields = {"Host": host, **{name.replace("_", "-"): value for name, value in more.items()}}
        try:
            self.connection.putrequest("GET", file.target, skip_host=True, skip_accept_encoding=True)
            for name, value in fields.items():
                self.connection.putheader(name, value)
            self.connection.putheader("Accept-Encoding", accept)
            self.connection.endheaders()
            answer = Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.tally.counts["requests"] += 1
            self.tally.counts["errors"] += 1
            self.tally.fault(f"{host} {file.target} ({accept!r}, {more}): {error!r}")
            return None
        if answer.status == 304:
            self.tally.counts["requests"] += 1
            self.tally.counts["hits" if answer.is_hit else "passed"] += 1
            self.tally.counts["304"] += 1
        else:
            self.tally.seen(answer.cache, answer.coding)
        if answer.status == 206:
            self.tally.counts["206"] += 1
        return answer


def problems(file, accept, answer):
    """The faults of a 200 to a request with this Accept-Encoding."""
    if answer.status != 200:
        yield f"status {answer.status}"
        return
    coding = answer.coding
    try:
        if decode(coding, answer.body) != file.body:
            yield f"a wrong body ({coding or 'identity'}, {len(answer.body)} bytes)"
    except Exception as error:  # noqa: BLE001
        yield f"a body that is no {coding}: {error!r}"
    if coding and not accepts(accept, coding):
        yield f"{coding} was not accepted"
    if coding and not file.compressible:
        yield f"{coding} of {file.type}, {len(file.body)} bytes"
    if answer.length is None and (answer.is_hit or not coding):
        yield "no Content-Length"
    if answer.length is not None and answer.length != str(len(answer.body)):
        yield f"Content-Length {answer.length}, {len(answer.body)} bytes"
    if answer.tag != ("W/" if coding else "") + file.tag:
        yield f"ETag {answer.tag} of {coding or 'identity'}, the origin's is {file.tag}"
    if file.compressible and not answer.varies:
        yield "Vary without Accept-Encoding"
    if answer.fields.get("Content-Type") != file.type or answer.fields.get("Last-Modified") != file.modified:
        yield f"Content-Type {answer.fields.get('Content-Type')}, {answer.fields.get('Last-Modified')}"
    for name in ("Content-Encoding", "Content-Length", "ETag", "Content-Type", "Age", "Date"):
        if len(answer.fields.get_all(name, [])) > 1:
            yield f"{name} twice"


def judge(client, file, host, accept, answer):
    if answer is None:
        return
    if not answer.coding and not accepts(accept, "identity"):
        # A client may refuse identity. If there is no other coding, identity is better than nothing (§12.5.3).
        kind = "compressible" if file.compressible and file.shrinks else "others"
        client.tally.counts[f"identity though refused ({kind})"] += 1
    for problem in problems(file, accept, answer):
        kind = "mismatches" if "body" in problem else "wrong fields"
        client.tally.counts[kind] += 1
        client.tally.fault(f"{host} {file.target} ({accept!r}): {problem}; {answer.cache}")


def revalidate(client, file, host, accept, tag):
    """Sends If-None-Match with the received tag, and sometimes with a different tag."""
    answer = client.get(file, host, accept, If_None_Match=tag)
    if answer is None:
        return
    said = f"{host} {file.target} ({accept!r}): If-None-Match {tag}"
    if answer.status != 304 or answer.body:
        client.tally.fault(f"{said} is answered {answer.status}, {len(answer.body)} bytes; {answer.cache}")
    elif answer.tag.removeprefix("W/") != file.tag:
        client.tally.fault(f"{said} is answered with {answer.tag}")
    elif file.compressible and not answer.varies:
        client.tally.fault(f"{said}: a 304 whose Vary is without Accept-Encoding")
    if int(file.digest[:2], 16) < 32:
        answer = client.get(file, host, accept, If_None_Match='"another", W/"still"')
        judge(client, file, host, accept, answer)


def matrix(port, files, tally, host, accept, asks, sought=None, conditional=True):
    """Requests every file `asks` times with this Accept-Encoding (`mix`: in turn), then with the last tag.
    `sought`: the coding in which files that shrink well must arrive the last time."""
    with Client(port, tally) as client:
        for number, file in enumerate(files):
            field = MIXES[(number + int(file.digest[:2], 16)) % len(MIXES)] if accept == "mix" else accept
            answer = None
            for ask in range(asks):
                answer = client.get(file, host, field)
                judge(client, file, host, field, answer)
                if ask and answer and not answer.is_hit:
                    tally.counts["asked again, no hit"] += 1
            if not answer or answer.status != 200:
                continue
            if sought and file.compressible and file.shrinks:
                tally.counts["coding expected"] += 1
                tally.counts["coding missed"] += answer.coding != sought
            if conditional:
                revalidate(client, file, host, field, answer.tag)


def describe(port, files, tally):
    """Requests the file from the origin itself, checks its body and tag, and records its type and date."""
    with Client(port, tally) as client:
        for file in files:
            answer = client.get(file, "origin.example", "gzip, br, zstd")
            if answer is None:
                continue
            if answer.status != 200 or answer.body != file.body or answer.tag != file.tag or answer.coding:
                tally.fault(f"{file.target}: {answer.status}, {answer.tag}, {answer.coding}")
            file.type = answer.fields.get("Content-Type", "")
            file.modified = answer.fields.get("Last-Modified", "")


def by_requests(port, files, tally, host, accept):
    """Uses the library requests, which decodes gzip and br. This function decodes zstd."""
    with requests.Session() as session:
        session.trust_env = False
        for file in files:
            fields = {"Host": host, "Accept-Encoding": accept}
            try:
                answer = session.get(f"http://127.0.0.1:{port}{file.target}", headers=fields, timeout=20)
                coding = answer.headers.get("Content-Encoding", "")
                body = decode(coding, answer.content) if coding == "zstd" else answer.content
            except Exception as error:  # noqa: BLE001
                tally.counts["errors"] += 1
                tally.fault(f"requests {file.target} ({accept}): {error!r}")
                continue
            tally.seen(answer.headers.get("Cache-Status", ""), coding)
            if answer.status_code != 200 or body != file.body:
                tally.counts["mismatches"] += 1
                tally.fault(f"requests {file.target} ({accept}): {answer.status_code}, {len(body)} bytes, "
                            f"{coding or 'identity'}")


def part(client, file, host, accept, field, first, last, **more):
    """Requests a range and expects the bytes `first` to `last`."""
    answer = client.get(file, host, accept, Range=f"bytes={field}", **more)
    if answer is None:
        return
    due = file.body[first:last + 1]
    said = f"{host} {file.target} ({accept!r}): bytes={field} {more or ''}"
    if answer.status != 206 or answer.coding:
        client.tally.fault(f"{said}: status {answer.status} {answer.coding}; {answer.cache}")
    elif answer.body != due:
        client.tally.counts["mismatches"] += 1
        client.tally.fault(f"{said}: a wrong part, {len(answer.body)} bytes of {len(due)}; {answer.cache}")
    elif answer.fields.get("Content-Range") != f"bytes {first}-{last}/{len(file.body)}":
        client.tally.fault(f"{said}: Content-Range {answer.fields.get('Content-Range')}")
    elif answer.length != str(len(due)) or answer.tag != file.tag:
        client.tally.fault(f"{said}: Content-Length {answer.length}, ETag {answer.tag}")


def whole(client, file, host, accept, field, **more):
    """Requests a range that must not be answered with a part."""
    answer = client.get(file, host, accept, Range=f"bytes={field}", **more)
    if answer is None:
        return
    # The caching rules demand the uncoded body; a coding that the client accepts is not a wrong body.
    client.tally.counts["coded though a range was asked"] += bool(answer.coding)
    for problem in problems(file, accept, answer):
        client.tally.counts["mismatches"] += "body" in problem
        said = f"{host} {file.target} ({accept!r}): bytes={field} {more}"
        client.tally.fault(f"{said}: {problem}; {answer.cache}")


def ranges(port, files, tally, host, accept):
    """Requests closed, open and suffix ranges, one beyond the end, and If-Range with a right, wrong and weak tag."""
    with Client(port, tally) as client:
        for file in files:
            size = len(file.body)
            if not size:
                continue
            chance = int(file.digest[:8], 16)
            first = chance % size
            last = min(first + chance % 5000, size - 1)
            tail = 1 + chance % (2 * size)
            part(client, file, host, accept, f"{first}-{last}", first, last)
            part(client, file, host, accept, f"{first}-", first, size - 1)
            part(client, file, host, accept, f"-{tail}", max(size - tail, 0), size - 1)
            part(client, file, host, accept, f"{first}-{size + 10}", first, size - 1, If_Range=file.tag)
            whole(client, file, host, accept, f"{first}-{last}", If_Range='"another"')
            whole(client, file, host, accept, f"{first}-{last}", If_Range="W/" + file.tag)
            answer = client.get(file, host, accept, Range=f"bytes={size}-")
            if answer and (answer.status != 416 or answer.fields.get("Content-Range") != f"bytes */{size}"):
                tally.fault(f"{host} {file.target}: bytes={size}-: status {answer.status}; {answer.cache}")


STEPS = {step.__name__: step for step in (matrix, by_requests, ranges)}


class Crew:
    """Processes that each take some files at a time. They are forked with the files in memory."""

    files = ()

    def __init__(self, files, count):
        Crew.files = files
        self.pool = multiprocessing.get_context("fork").Pool(count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.terminate()

    @staticmethod
    def work(job):
        name, port, start, more = job
        tally = Tally()
        STEPS[name](port, Crew.files[start:start + PIECE], tally, *more)
        return tally

    def run(self, step, port, *more):
        """Runs this step for all files. Returns the sum of the tallies."""
        jobs = [(step.__name__, port, start, more) for start in range(0, len(self.files), PIECE)]
        total = Tally()
        for tally in self.pool.imap_unordered(self.work, jobs):
            total.add(tally)
        return total
