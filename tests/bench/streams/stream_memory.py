"""How much the memory of the streaming function grows during the longest streams."""

from pathlib import Path

from instant.integrations.openrouter.chat import MAX_TEXT_ANSWER_BYTES
from tests.bench.setup import Row, Setup
from tests.bench.streams import peers
from tests.bench.streams.ours import Ours, streaming

STREAMS = {
    "200,000 chunks with an answer of 3.8 MB": "chunks=200000 letters=19",
    "200,000 comments": "comments=200000 chunks=1 letters=3",
    "an answer of 3.9 MB in one chunk": "chunks=1 letters=3900000",
    "an answer of 3.9 MB with one emoji": "chunks=39000 letters=100 wide=1",
}
"""Python takes four bytes for each character of a text that has an emoji."""

_AIM = f"{3 * MAX_TEXT_ANSWER_BYTES / 1e6:.0f} MB"


def measure(setup: Setup) -> list[Row]:
    """Each stream in an environment of its own, since the memory of a process hardly falls."""
    rows = []
    for name, prompt in STREAMS.items():
        with peers.upstream() as source, streaming(setup, source) as ours:
            rows.append(Row(f"memory growth of a stream: {name}", f"{_growth_mb(ours, prompt):.1f} MB", _AIM))
    return rows


def _growth_mb(ours: Ours, prompt: str) -> float:
    """The peak during the stream, above the memory before it."""
    status = Path(f"/proc/{ours.pid}/status")
    before = _megabytes(status, "VmRSS")
    Path(f"/proc/{ours.pid}/clear_refs").write_text("5")  # resets the peak
    ours.read(prompt)
    return _megabytes(status, "VmHWM") - before


def _megabytes(status: Path, name: str) -> float:
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1000
