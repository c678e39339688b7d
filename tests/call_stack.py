"""Tests run on one piece of call stack: CPython maps and unmaps memory where calls cross from one piece to the next."""

import threading
from collections.abc import Callable

_SLOTS = 100_000
"""The piece has at least as much room again: thousands of frames."""


def with_room[**P, R](call: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Call in a frame that is so large that CPython takes one large piece for it and for all frames below it.

    Pieces have 16 KB, about a hundred frames, and are freed at once: a loop whose calls cross the end of a piece
    pays a system call and a page fault each time, which took half of the tests' time.
    """
    return call(*arguments, **named)


with_room.__code__ = with_room.__code__.replace(co_stacksize=_SLOTS)
_run_thread = threading.Thread.run


def give_threads_room() -> None:
    """Run each thread that is started from now on in one piece, too."""
    threading.Thread.run = lambda self: with_room(_run_thread, self)  # type: ignore[method-assign]
