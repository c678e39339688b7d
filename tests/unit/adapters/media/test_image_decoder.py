"""Valid images are kept unchanged, hidden extra data is removed, and hostile files are rejected."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from instant.adapters.media.image_decoder import PillowImageDecoder
from tests.fakes.image_samples import (
    CLEANED,
    HOSTILE,
    IMAGE_SAMPLES,
    MARK,
    SOUND,
    blank_gif,
    blank_webp,
    bomb_png,
    noise,
    painted,
    rendered_png,
)

ROOT = Path(__file__).parents[4]
DECODER = PillowImageDecoder()


@pytest.mark.parametrize("name", SOUND)
def test_image_decoder_keeps_valid_images_unchanged(name: str) -> None:
    data = SOUND[name]()
    image = DECODER.decode(data)
    assert image
    assert image.data == data
    assert image.content_type == f"image/{name.partition('-')[0]}"
    assert (image.width, image.height) == (48, 48)


@pytest.mark.parametrize("name", CLEANED)
def test_image_decoder_removes_data_hidden_beside_an_image(name: str) -> None:
    data = CLEANED[name]()
    image = DECODER.decode(data)
    assert image
    assert MARK not in image.data
    assert len(image.data) < max(len(data), 500)
    with Image.open(BytesIO(image.data)) as still:
        assert Image.MIME[still.format or ""] == image.content_type
        assert not getattr(still, "is_animated", False)
        assert {"exif", "icc_profile", "comment", "xmp"}.isdisjoint(still.info)


@pytest.mark.parametrize("name", HOSTILE)
def test_image_decoder_rejects_hostile_files(name: str) -> None:
    assert DECODER.decode(HOSTILE[name]()) is None


@pytest.mark.parametrize("blank", [blank_gif, blank_webp])
def test_image_decoder_limits_the_pixels_of_a_format(blank: Callable[[int, int], bytes]) -> None:
    """The limit of these formats is 17,000,000 pixels, below that of PNG and JPEG."""
    image = DECODER.decode(blank(4_250, 4_000))
    assert image
    assert (image.width, image.height) == (4_250, 4_000)
    assert DECODER.decode(blank(4_250, 4_001)) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"sBIT": b"\x08\x08\x09"},
        {"sBIT": b"\x08\x08\x00"},
        {"sBIT": b"\x08"},
        {"sRGB": b"\x04"},
        {"sRGB": b"\x01\x01"},
        {"gAMA": b"evil"},
        {"pHYs": b"\0\0\x0b\x13\0\0\x0b\x12\x01"},
        {"pHYs": b"evilevil\x01"},
        {"pHYs": b"\0\0\x0b\x13\0\0\x0b\x13\x02"},
        {"tRNS": b"\x01\0\0\0\0\0"},
        {"tRNS": b"\0\0"},
        {"PLTE": b"\0\0\0"},
    ],
    ids=str,
)
def test_image_decoder_removes_png_chunks_with_unknown_values(settings: dict[str, bytes]) -> None:
    image = DECODER.decode(rendered_png(**settings))
    assert image
    assert image.data == painted("PNG")


def test_image_decoder_keeps_each_png_chunk_once() -> None:
    gamma = rendered_png(gAMA=b"\0\0\xb1\x8f")
    image = DECODER.decode(gamma[:33] + gamma[33:49] * 1_000 + gamma[49:])
    assert image
    assert image.data == gamma


@pytest.mark.parametrize("name", [name for name in CLEANED if not name.endswith("bomb")])
def test_image_decoder_keeps_every_pixel(name: str) -> None:
    """Pillow rejects decompression bombs in text and profiles; the decoder does not decompress them."""
    data = CLEANED[name]()
    image = DECODER.decode(data)
    assert image
    with Image.open(BytesIO(data)) as before, Image.open(BytesIO(image.data)) as after:
        rotated = before.transpose(Image.Transpose.ROTATE_270) if name == "jpeg-turned" else before
        assert after.convert("RGBA").tobytes() == rotated.convert("RGBA").tobytes()


def test_image_decoder_keeps_transparency() -> None:
    for format_name, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("GIF", {})):
        file = BytesIO()
        Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(file, format_name, **options)
        image = DECODER.decode(file.getvalue())
        assert image
        assert Image.open(BytesIO(image.data)).convert("RGBA").getpixel((0, 0))[3] == 0, format_name  # type: ignore[index]


@pytest.mark.parametrize("name", ["webp-exif", "webp-xmp"])
def test_image_decoder_clears_webp_flags_for_removed_chunks(name: str) -> None:
    image = DECODER.decode(CLEANED[name]())
    assert image
    assert (image.data[12:16], image.data[20]) == (b"VP8X", 0)


def test_image_decoder_rejects_every_truncated_prefix() -> None:
    """Only the complete file is accepted; every proper prefix is rejected."""
    for format_name in ("PNG", "JPEG", "WEBP"):
        data = painted(format_name)
        assert [end for end in range(len(data)) if DECODER.decode(data[:end])] == [], format_name


def test_image_decoder_rejects_or_tolerates_flipped_bytes() -> None:
    for format_name in ("PNG", "JPEG", "WEBP", "GIF"):
        data = painted(format_name)
        for at in range(len(data)):
            image = DECODER.decode(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
            assert image is None or Image.open(BytesIO(image.data)).load()


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_image_decoder_uses_bounded_memory_for_hostile_files(tmp_path: Path) -> None:
    """Runs in separate processes, because peak memory never decreases."""
    _run("write", tmp_path)
    usage = json.loads(_run("decode", tmp_path))
    assert usage["files"] > len(IMAGE_SAMPLES)
    assert usage["peak_mb"] <= 320


def _run(command: str, folder: Path) -> bytes:
    path = f"{ROOT}:{ROOT / 'layers/core'}"
    program = [sys.executable, "-P", __file__, command, str(folder)]
    return subprocess.run(program, env={"PYTHONPATH": path}, stdout=subprocess.PIPE, check=True).stdout


def _write_samples(folder: Path) -> None:
    for name, image in IMAGE_SAMPLES.items():
        (folder / name).write_bytes(image())
    (folder / "largest-png").write_bytes(bomb_png(8_000, 5_000))
    (folder / "largest-colorful-png").write_bytes(painted("PNG", (8_000, 5_000), mode="RGBA"))
    (folder / "largest-webp").write_bytes(blank_webp(4_250, 4_000))
    (folder / "largest-gif").write_bytes(blank_gif(4_250, 4_000))
    (folder / "heaviest-png").write_bytes(noise(19_900_000))


def _print_usage(folder: Path) -> None:
    logging.disable()
    for file in sorted(folder.iterdir()):
        DECODER.decode(file.read_bytes())
    status = Path("/proc/self/status").read_text()  # getrusage would include the parent process
    peak_kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({"files": len(list(folder.iterdir())), "peak_mb": int(peak_kb) / 1024}))


if __name__ == "__main__":
    {"write": _write_samples, "decode": _print_usage}[sys.argv[1]](Path(sys.argv[2]))
