"""The processes of a local stack, as Linux's /proc lists them."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def function_processes(function: str, aws_url: str) -> list[int]:
    """The process ids of a function in the stack with this AWS endpoint."""
    expected = {f"AWS_LAMBDA_FUNCTION_NAME={function}".encode(), f"AWS_ENDPOINT_URL={aws_url}".encode()}
    return [pid for pid in _all() if expected <= set(_read(pid, "environ").split(b"\0"))]


def descendants(pid: int) -> list[int]:
    """The process ids of all child processes of a process, direct and indirect."""
    parents = {each: _parent(each) for each in _all()}
    found = [pid]
    for ancestor in found:  # the list grows during the iteration
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def cpu_ticks(pid: int) -> int:
    """Processor time a process has used, user and system, in clock ticks."""
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12])


def _all() -> Iterator[int]:
    return (int(path.name) for path in PROC.iterdir() if path.name.isdecimal())


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    """The fields after the name in /proc/<pid>/stat: state, parent and so on."""
    return _read(pid, "stat").decode("utf-8", "replace").rpartition(")")[2].split()


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return (PROC / str(pid) / name).read_bytes()
    return b""
