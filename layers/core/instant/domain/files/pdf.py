"""An upper bound of the pages and the text of a PDF, or none if the file is not simple enough to have one.

Readers differ in how they read invalid files, so the bound counts everything that any reader could use: every object
wherever it stands, every version of it, and the text of the longest page for each page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from instant.domain.files.pdf_streams import Objects, Stream, Unbounded, names_in, objects_of, scannable
from instant.domain.files.pdf_text import bytes_per_code, shown_bytes

PAGE_OVERHEAD = 200
"""Bytes of text that a reader can add for each page, such as a heading."""

MAX_CONTENTS_BYTES = 200_000
"""Maximum size of all references from pages to their streams."""

_REF = rb"\d{1,10}\s++\d{1,10}\s++R"
_KIDS = re.compile(rb"/Kids(?![^\s/<>\[\](){}%])\s*(\[((?:\s*" + _REF + rb")*)\s*\])?")
_CONTENTS = re.compile(
    rb"/Contents(?![^\s/<>\[\](){}%])\s*(?:(?P<text>\(|<(?!<))|(?P<refs>\[(?:\s*" + _REF + rb")*\s*\]|" + _REF + rb"))?"
)
_TO_UNICODE = re.compile(rb"/(?:ToUnicode|UseCMap)(?![^\s/<>\[\](){}%])\s*(?:(?P<ref>" + _REF + rb")|/)?")
_PAGE = re.compile(rb"/Page(?![^\s/<>\[\](){}%])")
_NUMBER = re.compile(rb"(?<!\d)(\d{1,10})\s++\d{1,10}\s++R")
_INDIRECT = re.compile(rb"/Differences\s*+(?!\[)")
_WIDGET = re.compile(rb"/Widget(?![A-Za-z])")
_REFUSED = {b"Encrypt", b"Type3", b"XFA", b"EmbeddedFile", b"EmbeddedFiles", b"ActualText", b"JavaScript", b"JS"}
"""Names of features through which text can be repeated, hidden or added."""


@dataclass(frozen=True, slots=True)
class PdfBound:
    """The maximum number of pages, and of bytes of text in all of them; `page_objects` are the pages that it has."""

    pages: int
    text_bytes: int
    page_objects: int


def pdf_bound(data: bytes) -> PdfBound | None:
    """The bound of a file; None if it is encrypted, unreadable, or uses anything that can multiply its text."""
    try:
        return _Pdf(data, objects_of(data)).bound()
    except Unbounded:
        return None


@dataclass(frozen=True)
class _Pdf:
    data: bytes
    objects: Objects

    def bound(self) -> PdfBound:
        if any(_REFUSED & names_in(text) or _INDIRECT.search(text) for text in self._texts):
            raise Unbounded
        self._check_to_unicode()
        pages = self._pages()
        factor = bytes_per_code(self._texts)
        widgets = sum(1 for _ in self._find(_WIDGET))  # each can show the value of the same field
        once = sum(shown_bytes(text) for text in self._outside) * max(1, widgets)
        text_bytes = factor * (pages * self._longest_page() + once) + PAGE_OVERHEAD * pages
        return PdfBound(pages, text_bytes, self._page_objects)

    @cached_property
    def _texts(self) -> list[bytes]:
        """Everything in which objects can be written."""
        return [scannable(text) for text in (self.data, *(s.text for s in self._all_streams if s.text is not None))]

    @cached_property
    def _outside(self) -> list[bytes]:
        """The objects outside streams, and those in object streams."""
        cut = bytearray(self.data)
        for stream in sorted(self._all_streams, key=lambda stream: -stream.start):
            if stream.end is not None:
                del cut[stream.start : stream.end]
        return [bytes(cut), *(s.text for s in self._all_streams if s.holds_objects and s.text is not None)]

    @cached_property
    def _all_streams(self) -> list[Stream]:
        return list({id(s): s for versions in self.objects.streams.values() for s in versions}.values())

    @cached_property
    def _page_objects(self) -> int:
        return sum(1 for _ in self._find(_PAGE))

    def _pages(self) -> int:
        """Pages that a tree can name, each once, or that a reader can find without the tree."""
        named: list[bytes] = []
        for found in self._find(_KIDS):
            if found[1] is None:
                raise Unbounded
            named += _NUMBER.findall(found[2])
        if len(set(map(int, named))) < len(named):
            raise Unbounded
        pages = max(len(named), self._page_objects)
        if not pages:
            raise Unbounded
        return pages

    def _longest_page(self) -> int:
        pages = [found["refs"] for found in self._find(_CONTENTS) if not found["text"]]
        if sum(len(refs or b"") for refs in pages) > MAX_CONTENTS_BYTES:
            raise Unbounded
        return max(map(self._page, pages), default=0)

    def _page(self, refs: bytes | None) -> int:
        """Bytes that the streams of one page can show, and the forms that they draw."""
        shown = drawn = 0
        for number in _NUMBER.findall(refs or b"") or [b"-1"]:
            for stream in self._readable(int(number)):
                shown += stream.shown
                drawn += stream.drawn
        return shown + (drawn + self._form_refs) * self._longest_form

    def _readable(self, number: int) -> list[Stream]:
        """The versions of a stream; all must be readable."""
        found = self.objects.streams.get(number)
        if not found or number in self.objects.others or any(stream.text is None for stream in found):
            raise Unbounded
        return found

    @cached_property
    def _forms(self) -> dict[int, list[Stream]]:
        """The streams that can be drawn; if one can draw another, there is no bound."""
        forms = {number: found for number, found in self.objects.streams.items() if any(s.is_form for s in found)}
        if any(stream.is_form and stream.drawn for found in forms.values() for stream in found):
            raise Unbounded
        return forms

    @cached_property
    def _longest_form(self) -> int:
        return max((sum(stream.shown for stream in found) for found in self._forms.values()), default=0)

    @cached_property
    def _form_refs(self) -> int:
        """References to forms: an annotation can show one without drawing it in a page."""
        if not self._forms:
            return 0
        return sum(int(number) in self._forms for text in self._texts for number in _NUMBER.findall(text))

    def _check_to_unicode(self) -> None:
        """Every table of characters must be readable, since it says how long the text of a code is."""
        for found in self._find(_TO_UNICODE):
            if found["ref"]:
                self._readable(int(found["ref"].split()[0]))
            elif not found[0].endswith(b"/"):
                raise Unbounded

    def _find(self, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
        return (found for text in self._texts for found in pattern.finditer(text))
