"""CPU time and peak memory of decoding the image of an answer, for 2 MB and for 20 MB.

Each size runs in its own process, since the peak memory of a process never falls.
"""

import json
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

from tests.bench.setup import Row, Setup
from tests.fakes.image_samples import noise
from tests.local.stack import ROOT

SIZES = {"2 MB": 2_000_000, "20 MB": 19_900_000}
"""Bytes of the image; the larger one is close to the maximum."""


def measure(setup: Setup) -> list[Row]:
    """Decode one image of each size, from the bytes of the response to the bytes to store."""
    rows = []
    for name, size in SIZES.items():
        file = setup.folder / "answer.json"
        file.write_bytes(_answer(noise(size)))
        rows.append(Row(f"image answer of {name}", _child(file)))
    return rows


def _child(file: Path) -> str:
    program = subprocess.run(
        [sys.executable, "-P", __file__, str(file)],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return program.stdout.strip()


def _answer(image: bytes) -> bytes:
    part = {"image_url": {"url": "data:image/png;base64," + b64encode(image).decode()}}
    message = {"role": "assistant", "content": "", "images": [part]}
    return json.dumps({"id": "gen-1", "choices": [{"finish_reason": "stop", "message": message}]}).encode()


def _measure(file: Path) -> str:
    from instant.adapters.media.image_decoder import PillowImageDecoder
    from instant.domain.exchange import Reply
    from instant.integrations.openrouter.chat import read_chat
    from instant.use_cases.executions.media import decode_image

    before, started = _peak_mb(), time.process_time()
    (url,) = read_chat(Reply(status=200, body=file.read_bytes())).images
    assert decode_image(url, PillowImageDecoder())
    spent, peak = (time.process_time() - started) * 1000, _peak_mb()
    return f"{spent:.0f} ms CPU, memory peaks at {peak:.0f} MB ({peak - before:.0f} MB above the start)"


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) / 1024


if __name__ == "__main__":
    print(_measure(Path(sys.argv[1])))
