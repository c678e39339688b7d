"""The processes that streams are compared with: the upstream, a bare proxy, and nginx where it is installed."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
NGINX = os.environ.get("NGINX_PROGRAM", "nginx")
"""The program; the variable names one that is not on the path."""

_CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_buffering off; }}
  }}
}}
"""


@dataclass(frozen=True)
class Peer:
    """A process that streams on a port."""

    name: str
    port: int
    pid: int


@contextmanager
def upstream() -> Iterator[Peer]:
    """The upstream of every candidate."""
    with _program("the upstream itself", "upstream.py") as peer:
        yield peer


@contextmanager
def bare_proxy(behind: Peer) -> Iterator[Peer]:
    """The bare asyncio proxy."""
    with _program("a bare asyncio proxy", "proxy.py", str(behind.port)) as peer:
        yield peer


@contextmanager
def nginx(behind: Peer, folder: Path) -> Iterator[Peer | None]:
    """Nginx without buffering, as one process; None, with a message, where it is not installed."""
    program = shutil.which(NGINX)
    if program is None:
        print(
            "  nginx is not installed (or set NGINX_PROGRAM to its path): streams are not compared with it",
            file=sys.stderr,
        )
        yield None
        return
    port = _free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, upstream=behind.port))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(config)], stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Peer("nginx", port, process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def _program(name: str, file: str, *arguments: str) -> Iterator[Peer]:
    command = [sys.executable, "-P", str(HERE / file), *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Peer(name, int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    raise RuntimeError("nginx has ended")
