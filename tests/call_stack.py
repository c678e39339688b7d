"""Runs tests on a single chunk of the Python frame stack, so that CPython does not map and unmap memory for calls."""

import threading
from collections.abc import Callable

_SLOTS = 100_000
"""Stack slots of the frame; CPython allocates a chunk at least twice as large: thousands of frames."""


def call_on_one_chunk[**P, R](call: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Call in a frame that is so large that CPython allocates one large chunk for it and for all nested frames.

    A chunk normally has 16 KB, about a hundred frames, and is freed at once: a loop whose calls cross the end of a
    chunk causes a system call and a page fault per call, which took half of the time of the tests.
    """
    return call(*arguments, **named)


call_on_one_chunk.__code__ = call_on_one_chunk.__code__.replace(co_stacksize=_SLOTS)
_run_thread = threading.Thread.run


def run_threads_on_one_chunk() -> None:
    """Run each new thread on a single chunk, too."""
    threading.Thread.run = lambda self: call_on_one_chunk(_run_thread, self)  # type: ignore[method-assign]
