"""The peers (other proxies), each in its best plain configuration: one thread, keep-alive, no logs, on loopback."""

import os
import re
import signal
import subprocess
import time

from .processes import Failure, free_port
from .servers import Server, connection_limit, nginx_head, nginx_start, program

NAMES = {"floor": "floor", "larder": "Larder", "haproxy": "HAProxy", "nginx": "nginx", "varnish": "Varnish",
         "h2o": "h2o"}


def haproxy(stack, origin, core=None, cache=True, gzip=False, megabytes=64, objects=65536, head_timeout=10,
            wrapper=()):
    """`cache=False`: without the cache filters, which is best for responses that HAProxy cannot store."""
    port, control = free_port(), stack.path("haproxy.sock")
    rules = "http-request cache-use larder\n    http-response cache-store larder" if cache else ""
    if gzip:
        rules = f"filter cache larder\n    filter compression\n    compression algo gzip\n    " \
                f"compression type text/plain\n    {rules}"
    text = f"""\
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
    bind 127.0.0.1:{port} defer-accept
    default_backend back
backend back
    {rules}
    server origin 127.0.0.1:{origin} pool-max-conn 256
"""
    file = stack.write(f"haproxy-{port}.cfg", text)
    process = stack.start("haproxy", [*wrapper, program("haproxy"), "-db", "-f", file], core)
    stack.listening(process, port, 60 if wrapper else 15)
    return Server("HAProxy", process, port, text, "with gzip" if gzip else "" if cache else "without a cache")


def nginx_cache(stack, origin, core=None, gzip=False, megabytes=256, managed=False):
    """`managed`: with the master and its cache manager, which enforces max_size. Otherwise there is one process."""
    zone = "/dev/shm" if os.path.isdir("/dev/shm") else stack.folder
    port = free_port()
    folder = os.path.join(zone, f"{os.path.basename(stack.folder)}-{port}")
    os.makedirs(folder, exist_ok=True)
    compress = "gzip on; gzip_proxied any; gzip_types text/plain;" if gzip else ""
    # Keep files open, except if the memory counts: nginx would keep and serve evicted files.
    opened = "" if managed else "open_file_cache max=100000 inactive=60m; open_file_cache_valid 60m;"
    name = f"nginx-{port}"
    text = nginx_head(stack, name) + f"""\
    proxy_cache_path {folder} keys_zone=z:32m max_size={megabytes}m use_temp_path=off inactive=60m;
    {opened}
    upstream back {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} deferred;
        {compress}
        location /pass-1k {{ proxy_pass http://back; }}
        location / {{
            proxy_pass http://back;
            proxy_cache z;
        }}
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }}
}}
"""
    if managed:
        text = text.replace("master_process off", "master_process on")
    process = nginx_start(stack, name, stack.write(f"{name}.conf", text), core)
    stack.listening(process, port)
    server = Server("nginx", process, port, text, "with gzip" if gzip else "")
    server.cleanup = folder
    return server


def nginx_manager(server):
    """The process id of the cache manager of a managed nginx."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for pid in server.process.family():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if b"cache manager" in file.read():
                        return pid
            except OSError:
                continue
        time.sleep(0.001)
    raise Failure("nginx has no cache manager")


def nginx_tidy(server):
    """Makes the cache manager check max_size at once: it checks when it starts, and the master starts a new one when
    it ends. By itself it checks every ten seconds, which is too seldom for a fast replay."""
    old = nginx_manager(server)
    os.kill(old, signal.SIGTERM)
    end = time.monotonic() + 10
    while nginx_manager(server) == old:
        if time.monotonic() > end:
            raise Failure("nginx does not start a new cache manager")
        time.sleep(0.001)
    time.sleep(0.01)


def varnish(stack, origin, core=None, gzip=False, megabytes=64):
    port = free_port()
    stored = "set beresp.do_gzip = true;" if gzip else ""
    text = f"""\
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{origin}"; }}
sub vcl_recv {{ if (req.url == "/pass-1k") {{ return (pass); }} }}
sub vcl_backend_response {{ {stored} }}
"""
    file = stack.write(f"varnish-{port}.vcl", text)
    arguments = ["-F", "-j", "none", "-a", f"127.0.0.1:{port}", "-T", "none", "-f", file,
                 "-n", stack.path(f"varnish-{port}"), "-s", f"default=malloc,{megabytes}M",
                 "-p", "thread_pools=1", "-p", "timeout_idle=60", "-p", "nuke_limit=100000"]
    process = stack.start("varnish", [program("varnishd"), *arguments], core)
    stack.listening(process, port, 60)
    shown = " ".join(arguments).replace(stack.folder, "FOLDER")
    return Server("Varnish", process, port, f"# varnishd {shown}\n{text}", "with gzip" if gzip else "")


def h2o(stack, folder, core=None):
    """h2o 2.2 has no cache, so it serves files. Its row shows what a very good server does with the same bytes."""
    port = free_port()
    user = "user: root\n" if os.getuid() == 0 else ""
    text = f"""\
{user}listen: {{ host: 127.0.0.1, port: {port} }}
num-threads: 1
http1-request-timeout: 60
max-connections: {connection_limit()}
file.send-compressed: ON
file.mime.setdefaulttype: text/plain
hosts:
  default:
    paths:
      /: {{ file.dir: {folder} }}
"""
    process = stack.start("h2o", [program("h2o"), "-c", stack.write(f"h2o-{port}.yaml", text)], core)
    stack.listening(process, port)
    return Server("h2o", process, port, text)


def versions(peers):
    """The version of each peer, as its program prints it."""
    ask = {"haproxy": ("haproxy", "-v"), "nginx": ("nginx", "-v"), "varnish": ("varnishd", "-V"),
           "h2o": ("h2o", "--version")}
    found = {}
    for peer in peers:
        if peer in ask:
            name, option = ask[peer]
            done = subprocess.run([program(name), option], capture_output=True, text=True)
            match = re.search(r"(?:version |nginx/|varnish-)([\w.+~-]+)", done.stdout + done.stderr)
            found[NAMES[peer]] = match[1] if match else "?"
    return found
