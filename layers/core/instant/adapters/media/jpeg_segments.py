"""Whether a segment of a JPEG has exactly the length that its content needs."""

from collections.abc import Callable, Iterator

_MAX_COMPONENTS = 4
_MAX_SYMBOLS = 256
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def is_exact(marker: int, data: bytes) -> bool:
    """Whether this segment that renders the image has no more than its content; `data` is without the length field."""
    if marker in _FRAMES:
        return data[5:6] <= bytes([_MAX_COMPONENTS]) and len(data) == 6 + 3 * (data[5:6] or b"\xff")[0]
    match marker:
        case 0xC4:
            return _are_tables(data, _huffman_size)
        case 0xDA:
            return data[:1] <= bytes([_MAX_COMPONENTS]) and len(data) == 4 + 2 * (data or b"\xff")[0]
        case 0xDB:
            return _are_tables(data, _quantization_size)
    return marker in {0xDC, 0xDD} and len(data) == 2


def quantization_ids(data: bytes) -> list[int]:
    """The ids of the quantization tables in a segment that is exact."""
    return list(_ids(data, _quantization_size))


def _are_tables(data: bytes, size: Callable[[bytes], int]) -> bool:
    """Whether tables, each with another id, fill the segment exactly."""
    try:
        ids = list(_ids(data, size))
    except ValueError:
        return False
    return len(ids) == len(set(ids))


def _ids(data: bytes, size: Callable[[bytes], int]) -> Iterator[int]:
    at = 0
    while at < len(data):
        yield data[at] & 0x1F
        at += size(data[at:])
    if at != len(data):
        raise ValueError("cut off")


def _quantization_size(table: bytes) -> int:
    return 129 if table[0] >> 4 else 65


def _huffman_size(table: bytes) -> int:
    symbols = sum(table[1:17])
    if symbols > _MAX_SYMBOLS:
        raise ValueError("too many symbols")
    return 17 + symbols
