"""Runs FakeOpenRouter as a program: prints its URL and serves until SIGTERM or Ctrl-C."""

import argparse
import signal
import threading

from tests.fakes.openrouter.server import FakeOpenRouter


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.openrouter", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    port = parser.parse_args().port
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with FakeOpenRouter(port) as fake:
        print(fake.url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
