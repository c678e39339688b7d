"""`python -m tests.local`: serves the local stack until it is stopped; `--demo` runs a demo first."""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NoReturn

from tests.fakes.openrouter import FakeOpenRouter
from tests.local.demo import Demo, DemoFailed
from tests.local.functions.layout import Built
from tests.local.seed import seed
from tests.local.stack import SOURCE, Stack

DEMO_PORT = 8080
LOG = Path(tempfile.gettempdir()) / "instant-resources.log"
"""The log file of the functions while the demo runs."""
_OPENROUTER = "https://openrouter.ai/api/v1"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.local", description=__doc__)
    parser.add_argument("--port", type=int, help=f"port of the API; the demo uses {DEMO_PORT} if it is free")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when the stack is ready")
    parser.add_argument("--demo", action="store_true", help="run a demo, then continue serving")
    parser.add_argument("--built", type=Path, metavar="DIR", help="run the output of `sam build` in this directory")
    parser.add_argument("--grace", type=float, default=0, metavar="SECONDS", help="seconds added to every timeout")
    parser.add_argument(
        "--parameter",
        action="append",
        type=_parameter,
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template, such as JwtIssuer=https://issuer.example",
    )
    return parser.parse_args()


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE")
    return name, value


def _stop(*_: Any) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the stack is already stopping
    raise SystemExit(0)


def _upstream(running: ExitStack) -> str:
    if "OPENROUTER_API_KEY" in os.environ:
        return os.environ.get("OPENROUTER_BASE_URL", _OPENROUTER).rstrip("/")
    url: str = running.enter_context(FakeOpenRouter()).url
    return url


def _stack(running: ExitStack, arguments: argparse.Namespace, upstream: str) -> Stack:
    ports = [arguments.port] if arguments.port is not None else [DEMO_PORT, 0] if arguments.demo else [0]
    code = Built(arguments.built.resolve()) if arguments.built else SOURCE
    log = running.enter_context(LOG.open("w")).fileno() if arguments.demo else sys.stderr.fileno()

    def stack(port: int) -> Stack:
        parameters, grace = dict(arguments.parameter), arguments.grace
        return running.enter_context(
            Stack(code=code, upstream_url=upstream, parameters=parameters, port=port, log=log, grace=grace)
        )

    for port in ports[:-1]:
        with suppress(OSError):
            return stack(port)
    try:
        return stack(ports[-1])
    except OSError as error:
        raise SystemExit(f"port {ports[-1]}: {error}") from None


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    if arguments.demo:
        print("Starting the local stack ...", file=sys.stderr)
    with ExitStack() as running:
        upstream = _upstream(running)
        stack = _stack(running, arguments, upstream)
        keys = seed(stack)
        facts = {"url": stack.url, "openrouter_url": upstream, "keys": keys}
        if arguments.json or not arguments.demo:
            print(json.dumps(facts, indent=None if arguments.json else 2), flush=True)
        if arguments.demo:
            output = sys.stderr if arguments.json else sys.stdout
            try:
                Demo(stack.url, keys, upstream, os.environ.get("OPENROUTER_API_KEY"), output).run()
            except DemoFailed as failed:
                raise SystemExit(f"\nThe demo failed: {failed}\nThe functions' log: {LOG}") from None
        threading.Event().wait()


if __name__ == "__main__":
    main()
