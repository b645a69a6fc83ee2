"""nginx as a reverse proxy: the floor. It relays bytes; it checks no key and maps no model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

from benchmarks.gateway.agreed import ALIASES
from benchmarks.gateway.peers.peer import Peer, Place
from benchmarks.gateway.scenarios import ALL

_CONFIG = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_max_body_size 10m;
    client_body_buffer_size 2m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    tcp_nodelay on;
    upstream origin {{
        server 127.0.0.1:{origin_port};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class Nginx(Peer):
    """Debian's nginx with one worker, connections to the origin kept, nothing buffered, no access log."""

    name = "nginx"
    scenarios = ALL

    def install(self) -> None:
        if not self.installed():
            raise RuntimeError("nginx is not installed: apt-get install nginx")

    def installed(self) -> bool:
        return _binary() is not None

    def version(self) -> str:
        told = subprocess.run([_binary() or "nginx", "-v"], capture_output=True, text=True, check=True).stderr
        found = re.search(r"nginx/([\d.]+)", told)
        return found[1] if found else told.strip()

    def command(self, at: Place) -> Sequence[str]:
        user = "user root;\n" if os.geteuid() == 0 else ""  # else its worker could not write below our folder
        config = _CONFIG.format(user=user, folder=at.folder, port=at.port, origin_port=at.origin_port)
        return (_binary() or "nginx", "-p", str(at.folder), "-c", at.write("nginx.conf", config))

    def model(self, alias: str) -> str:
        return ALIASES[alias]


def _binary() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
