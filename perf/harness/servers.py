"""The servers, each in its best plain configuration: one thread, keep-alive, no logs, on loopback."""

import os
import re
import resource
import shutil
import subprocess

from .client import fetch
from .processes import Failure, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program(name):
    """A program of PATH or of the folders where Debian puts servers."""
    folders = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    path = shutil.which(name, path=folders)
    if not path:
        raise Failure(f"{name} is not installed: packaging/bootstrap perf")
    return path


def bootstrap():
    subprocess.run([os.path.join(ROOT, "packaging/bootstrap"), "perf"], check=True)


def build(product):
    """The release build of a product; `LARDER=` or `FLOOR=` names a built one instead."""
    given = os.environ.get(product.upper())
    if given:
        return given
    subprocess.run([os.path.join(ROOT, "packaging/bootstrap"), "build"], check=True)
    find = os.path.join(ROOT, "packaging/find-swift")
    swift = subprocess.run([find], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run([swift, "build", "-c", "release", "--product", product, "--quiet"], cwd=ROOT, check=True)
    return os.path.join(ROOT, ".build/release", product)


def connection_limit():
    """Proxies need two descriptors a connection."""
    return min(9000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 200)


class Server:
    """A running server: its process and its port."""

    def __init__(self, name, process, port):
        self.name, self.process, self.port = name, process, port

    def url(self, target):
        return f"http://127.0.0.1:{self.port}{target}"


def larder_yaml(port, origin, memory="64MiB", threads=1, extra="", upstream=""):
    """A file as short as it gets. `upstream` adds keys to the upstream, `extra` to the file."""
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


def larder(stack, origin, core=None, name="larder", **options):
    port = free_port()
    file = stack.write(f"{name}-{port}.yaml", larder_yaml(port, origin, **options))
    process = stack.start(name, [build("larder"), "serve", "-c", file], core)
    stack.listening(process, port)
    return Server("Larder", process, port)


def floor(stack, size, core=None):
    port = free_port()
    process = stack.start("floor", [build("floor"), str(size), str(port)], core)
    stack.listening(process, port)
    return Server("floor", process, port)


def haproxy(stack, origin, core=None, cache=True, megabytes=64, objects=65536, head_timeout=10):
    """`cache=False`: without the cache's filters, HAProxy's best for what it cannot store."""
    port, control = free_port(), stack.path("haproxy.sock")
    rules = "http-request cache-use larder\n    http-response cache-store larder" if cache else ""
    file = stack.write(f"haproxy-{port}.cfg", f"""\
global
    nbthread 1
    maxconn {connection_limit()}
    stats socket {control}-{port} mode 600 level user
defaults
    mode http
    no log
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    timeout http-request {head_timeout}s
cache larder
    total-max-size {megabytes}
    max-object-size {objects}
    max-age 3600
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    {rules}
    server origin 127.0.0.1:{origin} pool-max-conn 256
""")
    process = stack.start("haproxy", [program("haproxy"), "-db", "-f", file], core)
    stack.listening(process, port)
    return Server("HAProxy", process, port)


def nginx_head(stack, name):
    """Everything before the http block's own lines. One process, no daemon: its CPU is that of one pid."""
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
    """`lines`: what stands in the server block."""
    port = port or free_port()
    text = nginx_head(stack, name) + f"    server {{\n        listen 127.0.0.1:{port};\n{lines}\n    }}\n}}\n"
    file = stack.write(f"{name}.conf", text)
    process = nginx_start(stack, name, file, core)
    stack.listening(process, port)
    return Server("nginx", process, port)


def nginx_start(stack, name, file, core):
    """No `user` of its own: the process keeps what this program has."""
    user = ["-g", "user root;"] if os.getuid() == 0 else []
    errors = stack.path(f"{name}.error")
    return stack.start(name, [program("nginx"), "-e", errors, "-c", file, *user], core)


class Origin:
    """nginx with small bodies:
    /hit-1k, /hit-16k (max-age), /pass-1k (no-store), /o/N (1 KiB each, a head of about 250 bytes)."""

    def __init__(self, stack, core=None):
        with open(stack.path("hit-16k"), "w") as file:
            file.write("y" * 16384)
        one = "x" * 1024
        keep = 'add_header Cache-Control "public, max-age=3600";'
        note = 'add_header X-Note "a head of about two hundred and fifty bytes, as usual";'
        self.server = nginx(stack, "origin", f"""
        location = /hit-1k {{ {keep} return 200 "{one}"; }}
        location = /hit-16k {{ {keep} root {stack.folder}; open_file_cache max=10; }}
        location = /pass-1k {{ add_header Cache-Control no-store; return 200 "{one}"; }}
        location /o/ {{ {keep} {note} return 200 "{one}"; }}
        location = /status {{ stub_status; }}""", core)
        self.port, self.process = self.server.port, self.server.process

    def counts(self):
        """(connections accepted, requests) so far."""
        numbers = re.search(rb"requests\s+(\d+) \d+ (\d+)", fetch(self.port, "/status").body)
        return int(numbers[1]), int(numbers[2])


def nginx_cache(stack, origin, core=None):
    zone = "/dev/shm" if os.path.isdir("/dev/shm") else stack.folder
    folder = os.path.join(zone, os.path.basename(stack.folder))
    os.makedirs(folder, exist_ok=True)
    lines = """
        location /pass-1k { proxy_pass http://back; }
        location / {
            proxy_pass http://back;
            proxy_cache z;
        }
        proxy_http_version 1.1;
        proxy_set_header Connection "";"""
    port = free_port()
    text = nginx_head(stack, "nginx") + f"""
    proxy_cache_path {folder} keys_zone=z:32m max_size=256m use_temp_path=off;
    upstream back {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000; }}
    server {{ listen 127.0.0.1:{port};{lines} }}
}}
"""
    file = stack.write("nginx.conf", text)
    process = nginx_start(stack, "nginx", file, core)
    stack.listening(process, port)
    server = Server("nginx", process, port)
    server.cleanup = folder
    return server
