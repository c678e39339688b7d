"""Sample image files that a model or an attacker could send: valid, with embedded data, and invalid."""

import base64
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

MARK = b"<script>alert(1)</script>"
"""Bytes that must not occur in a stored image."""

_SIDE = 48

SRGB = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
DENSITY = struct.pack(">IIB", 2_835, 2_835, 1)


def data_url(data: bytes, content_type: str = "image/png") -> str:
    """The bytes as a data URL, the form in which models return images."""
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def painted(form: str, size: tuple[int, int] = (_SIDE, _SIDE), **options: Any) -> bytes:
    """A gradient of this size in one of Pillow's formats."""
    file = BytesIO()
    _gradient(size, options.pop("mode", "RGB")).save(file, form, **options)
    return file.getvalue()


def noise(size_bytes: int) -> bytes:
    """A PNG of about this many bytes, filled with noise, which does not compress."""
    from PIL import Image

    side = int((size_bytes / 3) ** 0.5)
    file = BytesIO()
    Image.frombytes("RGB", (side, side), _random(side * side * 3)).save(file, "PNG", compress_level=0)
    return file.getvalue()


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(*chunks: bytes) -> bytes:
    """A PNG of these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bomb_png(width: int, height: int) -> bytes:
    """A small file that decompresses to `width` times `height` black pixels."""
    compressor, blank = zlib.compressobj(9), bytes(1 + width // 8)
    body = b"".join([*(compressor.compress(blank) for _ in range(height)), compressor.flush()])
    return png_of(_header(width - width % 8, height), chunk(b"IDAT", body), chunk(b"IEND"))


def animated(form: str, frames: int) -> bytes:
    """An animation with frames of increasing brightness."""
    pictures = [_gradient((8, 8), "RGB").point(lambda value, n=n: (value + 7 * n) % 256) for n in range(frames)]
    file = BytesIO()
    pictures[0].save(file, form, save_all=True, append_images=pictures[1:], duration=40, loop=0)
    return file.getvalue()


def _header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))


def _gradient(size: tuple[int, int], mode: str) -> Any:
    from PIL import Image

    return Image.linear_gradient("L").resize(size).convert(mode)


def _random(size: int) -> bytes:
    import random

    return random.Random(size).randbytes(size)


def _before_end(extra: bytes) -> bytes:
    png = painted("PNG")
    return png[:-12] + extra + png[-12:]


def _after_header(extra: bytes) -> bytes:
    png = painted("PNG")
    return png[:33] + extra + png[33:]


def _comment() -> bytes:
    jpeg = painted("JPEG")
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(MARK) + 2) + MARK + jpeg[2:]


def _exif(text: bytes = MARK, orientation: int | None = None) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E] = text.decode()
    if orientation:
        exif[0x0112] = orientation
    return exif.tobytes()


def _in_riff(extra: bytes) -> bytes:
    webp = painted("WEBP")
    return b"RIFF" + struct.pack("<I", len(webp) - 8 + len(extra)) + webp[8:] + extra


def rendered_png(**settings: bytes) -> bytes:
    """Return a PNG with these chunks between its header and its data."""
    return _after_header(b"".join(chunk(kind.encode(), data) for kind, data in settings.items()))


def _with_image_data(extra: bytes, *more: bytes) -> bytes:
    """Return a PNG with bytes after the end of its compressed stream, and with more chunks of image data."""
    png = painted("PNG")
    size = struct.unpack_from(">I", png, 33)[0]
    chunks = [chunk(b"IDAT", data) for data in (png[41 : 41 + size] + extra, *more)]
    return png[:33] + b"".join(chunks) + png[45 + size :]


def _interlaced_png() -> bytes:
    """Return a black image in the seven passes of Adam7: the offset and the step of each, in columns and rows."""
    passes = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
    sizes = [(len(range(x, _SIDE, dx)), len(range(y, _SIDE, dy))) for x, dx, y, dy in passes]
    data = zlib.compress(bytes(sum(rows * (1 + columns) for columns, rows in sizes)))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 1))
    return png_of(header, chunk(b"IDAT", data), chunk(b"IEND"))


def _after_start(segment: int, data: bytes, times: int = 1) -> bytes:
    """Return a JPEG with a segment at its start."""
    jpeg = painted("JPEG")
    return jpeg[:2] + (bytes([0xFF, segment]) + struct.pack(">H", len(data) + 2) + data) * times + jpeg[2:]


def blank_webp(width: int, height: int) -> bytes:
    """Return a lossless WebP of one color, in which no pixel takes a bit."""
    bits = 0x2F | (width - 1) << 8 | (height - 1) << 22
    for code in range(5):
        bits |= 0b0001 << (43 + 4 * code)  # a simple prefix code with the only symbol 0
    stream = bits.to_bytes(8, "little") + bytes(2)
    return b"RIFF" + struct.pack("<I", 12 + len(stream)) + b"WEBPVP8L" + struct.pack("<I", len(stream)) + stream


def blank_gif(width: int, height: int) -> bytes:
    """Return a GIF of one color."""
    from PIL import Image

    file = BytesIO()
    Image.new("P", (width, height)).save(file, "GIF")
    return file.getvalue()


def _corrupt(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0x5A for byte in data[middle : middle + 8]) + data[middle + 8 :]


def _lying_webp() -> bytes:
    """A WebP whose header declares a canvas far larger than its frame."""
    webp = painted("WEBP")
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\x3f" * 2
    return b"RIFF" + struct.pack("<I", len(webp) - 8 + 18) + b"WEBP" + canvas + webp[12:]


def _gif_of_frames(count: int) -> bytes:
    """A GIF that repeats a one-pixel frame of a few bytes."""
    gif = animated("GIF", 2)
    head = gif[: 13 + 3 * 2 ** ((gif[10] & 7) + 1)]
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return head + frame * count + b"\x3b"


SOUND: dict[str, Callable[[], bytes]] = {
    "png": lambda: painted("PNG"),
    "png-alpha": lambda: painted("PNG", mode="RGBA"),
    "png-palette": lambda: painted("PNG", mode="P"),
    "png-gray": lambda: painted("PNG", mode="L"),
    "png-16-bit": lambda: painted("PNG", mode="I;16"),
    "png-settings": lambda: rendered_png(
        sBIT=b"\x08\x08\x08", sRGB=b"\0", gAMA=struct.pack(">I", 45_455), cHRM=SRGB, pHYs=DENSITY
    ),
    "png-transparent-color": lambda: rendered_png(tRNS=bytes([0, 1, 0, 2, 0, 3])),
    "png-interlaced": _interlaced_png,
    "jpeg": lambda: painted("JPEG"),
    "jpeg-progressive": lambda: painted("JPEG", progressive=True),
    "jpeg-gray": lambda: painted("JPEG", mode="L"),
    "jpeg-cmyk": lambda: painted("JPEG", mode="CMYK"),
    "webp": lambda: painted("WEBP"),
    "webp-lossless": lambda: painted("WEBP", lossless=True),
    "webp-alpha": lambda: painted("WEBP", mode="RGBA"),
}
"""Valid images, which are stored unchanged."""

CLEANED: dict[str, Callable[[], bytes]] = {
    "gif": lambda: painted("GIF"),
    "gif-animated": lambda: animated("GIF", 5),
    "gif-10000-frames": lambda: _gif_of_frames(10_000),
    "gif-trailing": lambda: painted("GIF") + MARK,
    "gif-comment": lambda: painted("GIF", comment=MARK),
    "png-trailing": lambda: painted("PNG") + MARK,
    "png-zip": lambda: painted("PNG") + b"PK\x03\x04" + MARK + b"PK\x05\x06" + bytes(18),
    "png-text": lambda: _before_end(chunk(b"tEXt", b"Comment\0" + MARK)),
    "png-text-bomb": lambda: _after_header(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))),
    "png-exif": lambda: _after_header(chunk(b"eXIf", MARK)),
    "png-provenance": lambda: _after_header(chunk(b"caBX", MARK)),
    "png-profile": lambda: painted("PNG", icc_profile=MARK),
    "png-profile-bomb": lambda: _after_header(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))),
    "png-animated": lambda: animated("PNG", 5),
    "png-significant-bits": lambda: rendered_png(sBIT=MARK * 160),
    "png-gamma": lambda: rendered_png(gAMA=MARK * 160),
    "png-primaries": lambda: rendered_png(cHRM=(MARK * 2)[:32]),
    "png-rendering": lambda: rendered_png(sRGB=MARK * 160),
    "png-density": lambda: rendered_png(pHYs=MARK * 160),
    "png-transparency": lambda: rendered_png(tRNS=MARK * 160),
    "png-suggested-palette": lambda: rendered_png(PLTE=MARK * 3),
    "png-end": lambda: painted("PNG")[:-12] + chunk(b"IEND", MARK * 160),
    "png-image-data": lambda: _with_image_data(MARK * 160),
    "png-more-image-data": lambda: _with_image_data(b"", MARK * 160),
    "jpeg-tables": lambda: _after_start(0xDB, bytes(1) + (MARK * 3)[:64], times=60),
    "jpeg-notes": lambda: _after_start(0xE0, b"JFIF\0" + MARK[:9]) + MARK,
    "jpeg-trailing": lambda: painted("JPEG") + MARK,
    "jpeg-comment": _comment,
    "jpeg-exif": lambda: painted("JPEG", exif=_exif()),
    "jpeg-profile": lambda: painted("JPEG", icc_profile=MARK),
    "jpeg-turned": lambda: painted("JPEG", (48, 24), exif=_exif(orientation=6)),
    "jpeg-several": lambda: _mpo(),
    "webp-animated": lambda: animated("WEBP", 5),
    "webp-exif": lambda: painted("WEBP", exif=_exif()),
    "webp-xmp": lambda: painted("WEBP", xmp=MARK),
    "webp-trailing": lambda: painted("WEBP") + MARK,
    "webp-chunk": lambda: _in_riff(b"EVIL" + struct.pack("<I", len(MARK)) + MARK + b"\0"),
}
"""Images that are stored without metadata, trailing data and further frames; most of them contain MARK."""

HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"Sorry, no picture today.",
    "html": lambda: b"<!doctype html>" + MARK,
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg">' + MARK + b"</svg>",
    "pdf": lambda: b"%PDF-1.7\n" + MARK,
    "gif-html": lambda: b"GIF89a/*" + MARK + b"*/",
    "jpeg-html": lambda: b"\xff\xd8\xff\xe0" + MARK,
    "png-html": lambda: b"\x89PNG\r\n\x1a\n" + MARK,
    "webp-html": lambda: b"RIFF\x40\0\0\0WEBP" + MARK * 3,
    "wav": lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(28),
    "bmp": lambda: painted("BMP"),
    "tiff": lambda: painted("TIFF"),
    "ico": lambda: painted("ICO"),
    "avif": lambda: b"\0\0\0\x20ftypavif" + bytes(64),
    "png-cut": lambda: painted("PNG")[:-30],
    "png-no-end": lambda: painted("PNG")[:-12],
    "png-long-header": lambda: png_of(chunk(b"IHDR", painted("PNG")[16:29] + MARK)) + painted("PNG")[33:],
    "png-second-header": lambda: _after_header(painted("PNG")[8:33]),
    "png-too-much-data": lambda: bomb_png(8_000, 64)[:19] + b"\1" + bomb_png(8_000, 64)[20:],
    "png-corrupt": lambda: _corrupt(painted("PNG")),
    "png-empty": lambda: png_of(_header(8, 8), chunk(b"IEND")),
    "png-no-size": lambda: png_of(_header(0, 0), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND")),
    "png-critical": lambda: _after_header(chunk(b"EVIL", MARK))[:40],
    "png-million-chunks": lambda: _after_header(chunk(b"tEXt") * 400_000),
    "png-bomb": lambda: bomb_png(12_000, 12_000),
    "png-bomb-near": lambda: bomb_png(8_000, 5_001),
    "jpeg-restart": lambda: _after_start(0xDD, bytes(2) + MARK),
    "jpeg-cut": lambda: painted("JPEG")[:-30],
    "jpeg-million-segments": lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 1_000_000,
    "jpeg-filled": lambda: b"\xff\xd8" + b"\xff" * 10_000_000,
    "jpeg-bomb": lambda: _sized_jpeg(60_000, 60_000),
    "webp-cut": lambda: painted("WEBP")[:-30],
    "webp-lying": _lying_webp,
    "gif-cut": lambda: painted("GIF")[:-300],
    "gif-bomb": lambda: b"GIF89a" + struct.pack("<HHBBB", 65_000, 65_000, 0, 0, 0) + painted("GIF")[13:],
}
"""Files that are rejected: not an image, incomplete, or too large."""

IMAGE_SAMPLES = SOUND | CLEANED | HOSTILE


def _mpo() -> bytes:
    file = BytesIO()
    first, second = (_gradient((_SIDE, _SIDE), mode).convert("RGB") for mode in ("RGB", "L"))
    first.save(file, "MPO", save_all=True, append_images=[second])
    return file.getvalue() + MARK


def _sized_jpeg(width: int, height: int) -> bytes:
    jpeg = bytearray(painted("JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(jpeg)
