"""Larder, the floor, the origin, and the parts that all servers share: one thread, keep-alive, no logs."""

import functools
import os
import random
import re
import resource
import shutil
import subprocess

from .client import fetch
from .processes import Failure, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program(name):
    """The path of a program in PATH, or in the folders in which Debian puts servers."""
    folders = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    path = shutil.which(name, path=folders)
    if not path:
        raise Failure(f"{name} is not installed: packaging/bootstrap perf")
    return path


def bootstrap():
    subprocess.run([os.path.join(ROOT, "packaging/bootstrap"), "perf"], check=True)


@functools.cache
def build(product):
    """The release build of a product, built once in a run. `LARDER=` or `FLOOR=` names a built program instead."""
    given = os.environ.get(product.upper())
    if given:
        return given
    subprocess.run([os.path.join(ROOT, "packaging/bootstrap"), "build"], check=True)
    find = os.path.join(ROOT, "packaging/find-swift")
    swift = subprocess.run([find], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run([swift, "build", "-c", "release", "--product", product, "--quiet"], cwd=ROOT, check=True)
    return os.path.join(ROOT, ".build/release", product)


def connection_limit():
    """The number of connections to allow: a proxy needs two descriptors for each."""
    return min(9000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 200)


class Server:
    """A running server: its process, its port, and the configuration to print with its figures. `variant` names the
    difference if a peer has several configurations."""

    def __init__(self, name, process, port, configuration="", variant=""):
        self.name, self.process, self.port = name, process, port
        self.variant = variant
        self.configuration = configuration
        # A folder outside the folder of the run, which is removed at the end.
        self.cleanup = None

    def clean(self):
        if self.cleanup:
            shutil.rmtree(self.cleanup, ignore_errors=True)

    def url(self, target):
        return f"http://127.0.0.1:{self.port}{target}"


def larder_yaml(port, origin, memory="64MiB", threads=1, extra="", upstream=""):
    """The shortest configuration file. `upstream` adds keys to the upstream, `extra` to the file."""
    return f"""\
listeners: [{{ bind: '127.0.0.1:{port}' }}]
threads: {threads}
cache: {{ memory: {memory} }}
routes: [{{ upstream: origin }}]
upstreams:
  origin:
    servers: ['127.0.0.1:{origin}']
    connections: {{ idle: 256 }}
{upstream}
log: {{ access: none }}
{extra}
"""


@functools.cache
def bare(path, folder):
    """A copy of a program without debugging information, which Debian's valgrind cannot read. It keeps its names."""
    copy = os.path.join(folder, os.path.basename(path) + "-bare")
    subprocess.run([program("strip"), "--strip-debug", "-o", copy, path], check=True)
    return copy


def larder(stack, origin, core=None, name="larder", wrapper=(), **options):
    """Starts Larder. `wrapper`: valgrind and its options."""
    port = free_port()
    text = larder_yaml(port, origin, **options)
    file = stack.write(f"{name}-{port}.yaml", text)
    path = bare(build("larder"), stack.folder) if wrapper else build("larder")
    process = stack.start(name, [*wrapper, path, "serve", "-c", file], core)
    stack.listening(process, port, 60 if wrapper else 15)
    return Server("Larder", process, port, text)


def floor(stack, size, core=None, closes=False):
    port = free_port()
    arguments = [build("floor"), str(size), str(port)] + ["close"] * closes
    process = stack.start("floor", arguments, core)
    stack.listening(process, port)
    return Server("floor", process, port)


def relay(stack, origin, core=None):
    """Starts the floor of a pass-through."""
    port = free_port()
    process = stack.start("relay", [build("floor"), "relay", str(origin), str(port)], core)
    stack.listening(process, port)
    return Server("floor", process, port)


def nginx_head(stack, name):
    """The configuration up to the http block's own lines. One process, no daemon: its CPU time is that of one pid."""
    for folder in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        os.makedirs(stack.path(f"{name}-{folder}"), exist_ok=True)
    return f"""\
daemon off;
master_process off;
worker_processes 1;
pid {stack.path(name)}.pid;
error_log {stack.path(name)}.error warn;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 300s;
    keepalive_requests 1000000000;
    client_body_temp_path {stack.path(name)}-body;
    proxy_temp_path {stack.path(name)}-proxy;
    fastcgi_temp_path {stack.path(name)}-fastcgi;
    uwsgi_temp_path {stack.path(name)}-uwsgi;
    scgi_temp_path {stack.path(name)}-scgi;
    default_type text/plain;
"""


def nginx(stack, name, lines, core=None, port=None):
    """Starts nginx. `lines`: the content of the server block."""
    port = port or free_port()
    text = nginx_head(stack, name) + f"    server {{\n        listen 127.0.0.1:{port};\n{lines}\n    }}\n}}\n"
    file = stack.write(f"{name}.conf", text)
    process = nginx_start(stack, name, file, core)
    stack.listening(process, port)
    return Server("nginx", process, port)


def nginx_start(stack, name, file, core):
    """Without `user`: the process keeps the user of this program."""
    user = ["-g", "user root;"] if os.getuid() == 0 else []
    errors = stack.path(f"{name}.error")
    return stack.start(name, [program("nginx"), "-e", errors, "-c", file, *user], core)


def text(count):
    """A text that compresses like English: words by Zipf's law, always the same ones."""
    chooser = random.Random(16)
    letters = "eeeeeeeetttttaaaaooooiiiinnnnsssshhhrrrddlllucmwfgypbvk"
    words = ["".join(chooser.choices(letters, k=chooser.randint(2, 9))) for _ in range(1500)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    return " ".join(chooser.choices(words, weights, k=count // 3)).encode()[:count]


class Origin:
    """nginx with small bodies: /hit-1k, /hit-16k, /text-16k (max-age), /pass-1k (no-store), /o/N (1 KiB each, with a
    head of about 250 bytes), /files/NAME (the files of its folder, max-age, of a type that is not compressed)."""

    def __init__(self, stack, core=None):
        self.folder = stack.path("root")
        os.makedirs(os.path.join(self.folder, "files"))
        self.file("hit-1k", b"x" * 1024)
        self.file("hit-16k", b"y" * 16384)
        self.file("text-16k", text(16384))
        one = "x" * 1024
        keep = 'add_header Cache-Control "public, max-age=3600";'
        note = 'add_header X-Note "a head of about two hundred and fifty bytes, as usual";'
        self.server = nginx(stack, "origin", f"""
        location = /hit-1k {{ {keep} return 200 "{one}"; }}
        root {self.folder};
        open_file_cache max=4000;
        location = /hit-16k {{ {keep} }}
        location = /text-16k {{ {keep} }}
        location /files/ {{ {keep} default_type application/octet-stream; }}
        location = /pass-1k {{ add_header Cache-Control no-store; return 200 "{one}"; }}
        location /o/ {{ {keep} {note} return 200 "{one}"; }}
        location = /status {{ stub_status; }}""", core)
        self.port, self.process = self.server.port, self.server.process

    def file(self, name, content):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)

    def counts(self):
        """The number of accepted connections and of requests so far."""
        numbers = re.search(rb"requests\s+(\d+) \d+ (\d+)", fetch(self.port, "/status").body)
        return int(numbers[1]), int(numbers[2])
