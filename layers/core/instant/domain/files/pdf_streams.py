"""The streams of a PDF, inflated within a limit; found by their keyword, whatever the cross-references say."""

import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property

from instant.domain.files.pdf_text import shown_bytes

MAX_INFLATED = 8_000_000
"""Maximum bytes that the streams of one file are inflated to."""

MAX_DIGITS = 10
"""Maximum digits of an object number."""

MAX_STREAMS = 20_000
"""Maximum number of streams of one file."""

_OBJECT = re.compile(rb"(?<!\d)(\d++)\s++\d++\s*+obj(?![A-Za-z])")
_OBJECT_KEYWORD = re.compile(rb"(?<=[\s])obj(?![A-Za-z])")
_STREAM = re.compile(rb"(?<!end)stream[ \t]*(?:\r\n|\n|\r)?")
_FILTER = re.compile(rb"/Filter(?![^\s/<>\[\](){}%])\s*(\[[\s/A-Za-z0-9]*\]|/[A-Za-z0-9]+)?")
_LENGTH = re.compile(rb"/Length\s+(\d+)(?!\s+\d+\s+R|\d)")
_NAME = re.compile(rb"/([^\s/<>\[\](){}%]+)")
_ESCAPED_NAME = re.compile(rb"/([^\s/<>\[\](){}%#]*+#[^\s/<>\[\](){}%]++)")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_INDIRECT_KIND = re.compile(rb"/(?:Subtype|Type|Filter|DecodeParms|DP)\s+\d")
_DO = re.compile(rb"Do(?![A-Za-z])")
_END = re.compile(rb"\s*endstream")
_COUNT = re.compile(rb"/N(?![^\s/<>\[\](){}%])\s*(?:(\d{1,9})(?!\d|\s+\d+\s+R))?")
_FIRST = re.compile(rb"/First(?![^\s/<>\[\](){}%])\s*(?:(\d{1,9})(?!\d|\s+\d+\s+R))?")
_COMMENT = re.compile(rb"%[^\r\n]*+")
_LEADING = re.compile(rb"[\s+\-.\d]*+")
_NUMBER = re.compile(rb"(?<!\S)(?=\S)[+-]*+(\d*+)\S*+")
_KEYS = frozenset(
    b"Contents DP DecodeParms Differences Filter First FlateDecode Form Image Kids Length N ObjStm Page Pages "
    b"Predictor Subtype ToUnicode Type UseCMap Widget XRef".split()
)
_NOT_IMAGES = {b"Form", b"ObjStm", b"First", b"XRef"}


class Unbounded(Exception):
    """The file has no bound: it is unreadable, or not simple enough."""


@dataclass(frozen=True)
class Stream:
    """One stream: `text` is None if it is an image, which is not inflated; `end` is None if its length is unclear."""

    start: int
    end: int | None
    text: bytes | None = field(repr=False)
    is_form: bool
    holds_objects: bool
    inside: frozenset[int] = frozenset()
    """The numbers of the objects that it can hold."""

    @cached_property
    def shown(self) -> int:
        """Bytes that its operators can show."""
        return shown_bytes(self.text or b"")

    @cached_property
    def drawn(self) -> int:
        """How often it draws another object."""
        return len(_DO.findall(self.text or b""))


def names_in(text: bytes) -> set[bytes]:
    """The names in a text, with their escapes decoded."""
    return {_decoded(name) for name in set(_NAME.findall(text))}


def _decoded(name: bytes) -> bytes:
    return _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), name)


def scannable(text: bytes) -> bytes:
    """The text with NUL, which is white space in a PDF, as a blank; positions stay the same."""
    return text.replace(b"\0", b" ")


@dataclass(frozen=True, slots=True)
class Objects:
    """All streams by object number, and the numbers of objects that are, or can be, something else."""

    streams: dict[int, list[Stream]]
    others: set[int]


def objects_of(data: bytes) -> Objects:
    """All objects of a file; raises `Unbounded`.

    A reader can begin the object before a stream at any of the objects since the previous stream, since the others can
    be in a comment or a string. So the stream is listed under each of them, and all of their text counts as its header.
    """
    scan = scannable(data)
    keywords, objects = list(_STREAM.finditer(scan)), list(_OBJECT.finditer(scan))
    if len(keywords) > MAX_STREAMS or _has_other_objects(scan, objects):
        raise Unbounded
    _refuse_escapes(scan)
    streams, left, previous = dict[int, list[Stream]](), MAX_INFLATED, 0
    others, index, numbers = set[int](), 0, list[int]()
    for keyword in keywords:
        between = list[int]()
        while index < len(objects) and objects[index].end() <= keyword.start():
            between.append(_number(objects[index][1]))
            index += 1
        numbers = between or numbers
        others.update(numbers[:-1])
        stream = _stream(data, scan[previous : keyword.start()], keyword.end(), left)
        left -= len(stream.text or b"")
        previous = keyword.end()
        others |= stream.inside
        for number in set(numbers):
            streams.setdefault(number, []).append(stream)
    return Objects(streams, others | {_number(each[1]) for each in objects[index:]})


def _has_other_objects(scan: bytes, objects: list[re.Match[bytes]]) -> bool:
    """Whether a keyword begins an object that the pattern did not find, or there is no object."""
    known = {found.end() for found in objects}
    return not known or any(found.end() not in known for found in _OBJECT_KEYWORD.finditer(scan))


def _number(digits: bytes) -> int:
    """An object number; int() of more digits is slow."""
    if len(digits) > MAX_DIGITS:
        raise Unbounded
    return int(digits)


def _refuse_escapes(text: bytes) -> None:
    """Reject keys that are written with escapes, which the patterns here do not find."""
    for name in set(_ESCAPED_NAME.findall(text)):
        if _decoded(name) in _KEYS:
            raise Unbounded


def _stream(data: bytes, header: bytes, start: int, limit: int) -> Stream:
    if _INDIRECT_KIND.search(header):
        raise Unbounded
    names, filters = names_in(header), _filters(header)
    end = _end(data, header, start)
    is_image = b"Image" in names and not names & _NOT_IMAGES
    is_form, holds_objects = b"Form" in names, b"First" in names
    if is_image or (b"XRef" in names and not is_form and not holds_objects):
        return Stream(start, end, None, is_form=False, holds_objects=False)
    if b"Predictor" in names:
        raise Unbounded
    if filters == [b"FlateDecode"]:
        text = _inflate(data, start, limit)
    elif not filters:
        text = data[start:]  # readers differ in where it ends
    else:
        raise Unbounded
    if len(text) > limit:
        raise Unbounded
    _refuse_escapes(text)
    inside = _numbers_inside(header, text) if holds_objects else frozenset[int]()
    return Stream(start, end, text, is_form=is_form, holds_objects=holds_objects, inside=inside)


def _numbers_inside(header: bytes, text: bytes) -> frozenset[int]:
    """The object numbers in the pairs of number and offset with which an object stream begins.

    There are as many pairs as the header says, or as fit before the first object, whichever are more. If the header is
    not clear, all numbers at the beginning can be pairs.
    """
    plain = _COMMENT.sub(lambda comment: b" " * len(comment[0]), scannable(text))
    leading = _LEADING.match(plain)
    found = list(_NUMBER.finditer(leading[0])) if leading else []
    counts, firsts = _COUNT.findall(header), _FIRST.findall(header)
    if len(counts) == len(firsts) == 1 and counts[0] and firsts[0]:
        found = found[: max(2 * int(counts[0]), sum(each.start() < int(firsts[0]) for each in found))]
    return frozenset(_number(each[1] or b"0") for each in found[::2])


def _filters(header: bytes) -> list[bytes]:
    found = list(_FILTER.finditer(header))
    if len(found) > 1 or any(each[1] is None for each in found):
        raise Unbounded
    return _NAME.findall(found[0][1]) if found else []


def _end(data: bytes, header: bytes, start: int) -> int | None:
    """Where the stream ends, if its length says so and the keyword follows."""
    lengths = _LENGTH.findall(header)
    if len(lengths) != 1 or len(lengths[0]) > 9:
        return None
    end = start + int(lengths[0])
    return end if _END.match(data, end) else None


def _inflate(data: bytes, start: int, limit: int) -> bytes:
    """Inflate to the end of the compressed data, wherever the stream is said to end."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(memoryview(data)[start:], limit + 1)
    except zlib.error:
        raise Unbounded from None
    if not inflater.eof:
        raise Unbounded
    return text
