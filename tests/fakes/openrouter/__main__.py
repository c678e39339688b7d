"""The double as a program: prints its URL, answers until SIGTERM or Ctrl-C."""

import argparse
import signal
import threading

from tests.fakes.openrouter.server import FakeOpenRouter


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.openrouter", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    port = parser.parse_args().port
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with FakeOpenRouter(port) as fake:
        print(fake.url, flush=True)
        told.wait()


if __name__ == "__main__":
    main()
