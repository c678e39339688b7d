"""An upper bound of the seconds of an audio file, or none if its header does not say enough."""

import struct
from math import ceil

MIN_MP3_RATE = 1_000
"""Bytes per second of the lowest bit rate of MPEG audio, 8 kbit/s."""

MIN_FREE_RATE = 150
"""Bytes per second below which no decoder finds frames, in the format without a fixed bit rate."""

MIN_WAV_RATE = 8_000
"""Bytes per second of the lowest usual rate of PCM: 8 bits, mono, 8 kHz."""

MAX_FRAME_SECONDS = 0.072
"""Seconds of the longest frame of MPEG audio: 576 samples at 8 kHz."""

_PCM = (1, 3)
_EXTENSIBLE = 0xFFFE
_MP3_RATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def audio_seconds(data: bytes) -> int | None:
    """The maximum length of WAV or MPEG audio, recognized by its data like in decoders; None for any other data."""
    if data[:4] == b"RIFF":
        return wav_seconds(data) if data[8:12] == b"WAVE" else None
    first = data[_after_tags(data) :].lstrip(b"\0")
    return mp3_seconds(data) if _is_frame(first[:4]) else None


def wav_seconds(data: bytes) -> int | None:
    """The maximum length of a WAV file with PCM; the data counts as long as the header or the file says."""
    fmt = size = None
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"fmt ":
            if fmt is not None or length < 16 or at + 8 + length > len(data):
                return None
            fmt = data[at + 8 : at + 8 + length]
        elif name == b"data":
            size = max(size or 0, length)
        at += 8 + length + length % 2
    rate = _wav_rate(fmt) if fmt and size is not None else 0
    return ceil(max(size or 0, len(data)) / rate) if rate else None


def _wav_rate(fmt: bytes) -> int:
    """The lowest rate in bytes per second that the header can mean; 0 if it is not PCM."""
    tag, channels, samples, stated, block, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        (tag,) = struct.unpack_from("<H", fmt, 24)
    if tag not in _PCM:
        return 0
    return int(min(MIN_WAV_RATE, stated, samples * block, samples * channels * (bits // 8)))


def mp3_seconds(data: bytes) -> int:
    """The maximum length of MPEG audio at the lowest bit rate, or as long as its own header says."""
    start = _after_tags(data)
    rate = MIN_MP3_RATE if _has_only_fixed_rates(data, start) else MIN_FREE_RATE
    return max(ceil(len(data) / rate), _stated_seconds(data, start))


def _after_tags(data: bytes) -> int:
    """Where the first frame begins: after an ID3 tag, whose size has seven bits in each byte."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size * 128 + (byte & 127)
    return 10 + size


def _has_only_fixed_rates(data: bytes, at: int) -> bool:
    """Whether the file is a chain of layer III frames with fixed bit rates, up to a tag at the end."""
    frames = 0
    while at + 4 <= len(data) and data[at : at + 3] not in {b"TAG", b"APE"}:
        length = _frame_length(data[at : at + 4])
        if length is None:
            return False
        at, frames = at + length, frames + 1
    return frames > 0 and (at >= len(data) - 4 or len(data) - at <= 128 or data[at : at + 3] == b"APE")


def _is_frame(header: bytes) -> bool:
    """Whether a frame of MPEG audio begins with these bytes; AAC begins similarly, with a layer of 0."""
    return len(header) == 4 and header[0] == 0xFF and header[1] >= 0xE0 and bool(header[1] >> 1 & 3)


def _frame_length(header: bytes) -> int | None:
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate, samples = header[2] >> 4, header[2] >> 2 & 3
    if header[0] != 0xFF or header[1] < 0xE0 or version == 1 or layer != 1 or rate in {0, 15} or samples == 3:
        return None
    bits = _MP3_RATES[3 if version == 3 else 2][rate] * 1_000
    return (144 if version == 3 else 72) * bits // _SAMPLE_RATES[version][samples] + (header[2] >> 1 & 1)


def _stated_seconds(data: bytes, start: int) -> int:
    """The length by the number of frames in a header of encoders with a variable bit rate; a frame is at most 72 ms."""
    head = data[start : start + 200]
    for mark, offset in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        at = head.find(mark)
        if at >= 0 and at + offset + 4 <= len(head):
            frames = int(struct.unpack_from(">I", head, at + offset)[0])
            return ceil(frames * MAX_FRAME_SECONDS)
    return 0
