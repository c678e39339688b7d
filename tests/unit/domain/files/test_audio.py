"""The bound of an audio file is at least its real length, whatever its header says."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.files.audio import MIN_FREE_RATE, MIN_MP3_RATE, mp3_seconds, wav_seconds

FRAME = b"\xff\xfb\x90\x00" + b"\0" * 413
"""One frame of MPEG-1 layer III at 128 kbit/s and 44.1 kHz."""

SLOW_FRAME = b"\xff\xe3\x18\x00" + b"\0" * 68
"""One frame of MPEG-2.5 layer III at 8 kbit/s and 8 kHz: 72 ms."""


def a_wav(
    size: int,
    *,
    tag: int = 1,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    block: int | None = None,
    stated: int | None = None,
    claimed: int | None = None,
) -> bytes:
    """Return a WAV file with `size` bytes of data, whose header claims what the other arguments say."""
    block = channels * bits // 8 if block is None else block
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * block if stated is None else stated, block, bits)
    data = b"data" + struct.pack("<I", size if claimed is None else claimed) + b"\0" * size
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + fmt + data


def test_wav_of_one_second_has_at_most_five() -> None:
    seconds = wav_seconds(a_wav(32_000))
    assert seconds is not None
    assert 1 <= seconds <= 5


@pytest.mark.parametrize(
    "lie",
    [{"rate": 10}, {"stated": 10}, {"block": 1, "rate": 10}, {"bits": 8, "rate": 10}, {"claimed": 320_000_000}],
    ids=str,
)
def test_wav_counts_the_longest_length_that_its_header_can_mean(lie: dict[str, int]) -> None:
    seconds = wav_seconds(a_wav(32_000, **lie))
    assert seconds is None or seconds >= 1_000


@pytest.mark.parametrize(
    "data",
    [
        a_wav(100, tag=2),
        a_wav(100, tag=0x55),
        a_wav(100, rate=0),
        a_wav(100, channels=0),
        a_wav(100)[:20],
        a_wav(100)[:36],
        b"",
        b"RIFF\0\0\0\0WAVE",
        a_wav(100).replace(b"WAVE", b"WAVE" + a_wav(0)[12:36]),
    ],
)
def test_wav_without_a_clear_header_has_no_bound(data: bytes) -> None:
    assert wav_seconds(data) is None


@given(
    st.integers(0, 20_000), st.integers(1, 6), st.integers(1, 96_000), st.sampled_from([8, 16, 24, 32]), st.booleans()
)
def test_wav_bound_covers_the_real_length(size: int, channels: int, rate: int, bits: int, lies: bool) -> None:
    lie = {"stated": 2**31, "claimed": 0} if lies else {}
    seconds = wav_seconds(a_wav(size, channels=channels, rate=rate, bits=bits, **lie))
    assert seconds is not None
    assert seconds >= size / (rate * channels * bits / 8)


@given(st.binary(max_size=400))
def test_wav_never_fails(noise: bytes) -> None:
    wav_seconds(b"RIFF\0\0\0\0WAVE" + noise)
    wav_seconds(a_wav(10)[:40] + noise)


@pytest.mark.parametrize("tags", [b"", b"ID3\x04\0\0\0\0\x02\x01" + b"\0" * 257], ids=["none", "id3"])
@pytest.mark.parametrize("end", [b"", b"TAG" + b"\0" * 125], ids=["none", "id3v1"])
def test_mp3_counts_the_lowest_bit_rate(tags: bytes, end: bytes) -> None:
    data = tags + FRAME * 383 + end
    assert mp3_seconds(data) == -(-len(data) // MIN_MP3_RATE)


def test_mp3_bound_covers_the_slowest_frames() -> None:
    assert mp3_seconds(SLOW_FRAME * 1_000) >= 72


@pytest.mark.parametrize("other", [b"\xff\xfb\x00\x00" + b"\0" * 20, b"\xff\xfd\x90\x00", b"noise", b"\0" * 500])
def test_mp3_with_other_frames_counts_the_lowest_free_rate(other: bytes) -> None:
    data = FRAME * 10 + other + FRAME * 10
    assert mp3_seconds(data) == -(-len(data) // MIN_FREE_RATE)


@pytest.mark.parametrize(("mark", "offset"), [(b"Xing", 8), (b"Info", 8), (b"VBRI", 14)])
def test_mp3_counts_the_frames_that_its_header_states(mark: bytes, offset: int) -> None:
    head = bytearray(FRAME)
    head[36 : 36 + 4] = mark
    head[36 + offset : 40 + offset] = struct.pack(">I", 1_000_000)
    assert mp3_seconds(bytes(head) + FRAME * 9) == 72_000


@given(st.binary(max_size=300))
def test_mp3_bound_is_never_below_the_fixed_rate(noise: bytes) -> None:
    assert mp3_seconds(b"ID3" + noise) >= (len(noise) + 3) / MIN_MP3_RATE
