"""The bound of a PDF is at least what any reader could extract, or there is none."""

import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.files.pdf import PdfBound, pdf_bound
from instant.domain.files.pdf_streams import MAX_INFLATED
from tests.fakes.pdf import TEXT, one_page, page, pdf, stream

LONG = b"(" + b"x" * 5_000 + b") Tj"
FORM = b"/Type /XObject /Subtype /Form "
IMAGE = b"/Type /XObject /Subtype /Image "


def bound_of(data: bytes) -> PdfBound:
    """Return the bound of a file that must have one."""
    bound = pdf_bound(data)
    assert bound is not None
    return bound


def test_bound_of_an_ordinary_page_is_near_its_text() -> None:
    text = b"BT " + b"(The quick brown fox) Tj T* " * 100 + b"ET"
    bound = bound_of(one_page(text))
    assert bound.pages == 1
    assert 2_000 <= bound.text_bytes <= 13_000


@pytest.mark.parametrize("count", [1, 2, 30])
def test_bound_counts_the_pages_of_the_tree(count: int) -> None:
    kids = range(3, 3 + count)
    pages = [page(kid, b"90 0 R") for kid in kids]
    assert bound_of(pdf(*pages, stream(90, TEXT), kids=kids)).pages == count


def test_bound_counts_pages_without_a_type_and_pages_outside_the_tree() -> None:
    untyped = [b"%d 0 obj\n<< /Contents 90 0 R >>\nendobj\n" % kid for kid in (3, 4, 5)]
    assert bound_of(pdf(*untyped, stream(90, TEXT), kids=(3, 4, 5))).pages == 3
    assert bound_of(pdf(page(3), page(4), page(5), kids=(3,))).pages == 3


def test_bound_counts_pages_in_object_streams() -> None:
    content = b"3 0 4 30 << /Type /Page >> << /Type /Page >>"
    data = pdf(stream(7, content, header=b"/Type /ObjStm /N 2 /First 8 "), kids=(3, 4))
    assert bound_of(data).pages == 2


def test_bound_counts_shared_content_for_each_page() -> None:
    one = bound_of(pdf(page(3, b"90 0 R"), stream(90, LONG)))
    ten = bound_of(pdf(*(page(kid, b"90 0 R") for kid in range(3, 13)), stream(90, LONG), kids=range(3, 13)))
    assert ten.text_bytes > 9 * one.text_bytes


def test_bound_counts_repeated_content_each_time() -> None:
    assert bound_of(pdf(page(3, b"[" + b"90 0 R " * 50 + b"]"), stream(90, LONG))).text_bytes >= 50 * 5_000


def test_bound_counts_forms_each_time_they_are_drawn() -> None:
    data = one_page(b"/Fm0 Do " * 50, stream(5, LONG, header=FORM))
    assert bound_of(data).text_bytes >= 50 * 5_000


def test_bound_counts_forms_of_annotations() -> None:
    marks = b"".join(b"%d 0 obj\n<< /Subtype /Stamp /AP << /N 5 0 R >> >>\nendobj\n" % n for n in range(10, 60))
    assert bound_of(one_page(TEXT, marks, stream(5, LONG, header=FORM))).text_bytes >= 50 * 5_000


def test_bound_counts_field_values_for_each_widget() -> None:
    field = b"9 0 obj\n<< /FT /Tx /V %s >>\nendobj\n" % LONG.removesuffix(b" Tj")
    widgets = b"".join(b"%d 0 obj\n<< /Subtype /Widget /Parent 9 0 R >>\nendobj\n" % n for n in range(10, 60))
    assert bound_of(one_page(TEXT, field, widgets)).text_bytes >= 50 * 5_000


def test_bound_counts_tables_that_map_a_code_to_long_text() -> None:
    table = b"/CIDInit begincmap 1 beginbfchar <01> <" + b"0041" * 100 + b"> endbfchar"
    font = b"6 0 obj\n<< /Type /Font /ToUnicode 7 0 R >>\nendobj\n"
    data = one_page(b"(" + b"\x01" * 1_000 + b") Tj", font, stream(7, table))
    assert bound_of(data).text_bytes >= 100 * 1_000


def test_bound_counts_glyph_names_that_are_long_texts() -> None:
    names = b"6 0 obj\n<< /Differences [1 /" + b"_".join([b"A"] * 50) + b"] >>\nendobj\n"
    assert bound_of(one_page(b"(" + b"\x01" * 1_000 + b") Tj", names)).text_bytes >= 50 * 1_000


def test_bound_ignores_where_a_stream_is_said_to_end() -> None:
    data = zlib.compress(LONG)
    short = b"4 0 obj\n<< /Filter /FlateDecode /Length 3 >>\nstream\n%s\nendstream\nendobj\n" % data
    assert bound_of(pdf(page(3, b"4 0 R"), short)).text_bytes >= 5_000


@pytest.mark.parametrize("length", [b"/Length 2", b"/Length 99999", b"", b"/Length 8 0 R"])
def test_bound_counts_uncompressed_streams_to_the_end(length: bytes) -> None:
    raw = b"4 0 obj\n<< %s >>\nstream\n(x) Tj endstream %s\nendstream\nendobj\n" % (length, LONG)
    assert bound_of(pdf(page(3, b"4 0 R"), raw)).text_bytes >= 5_000


def test_bound_counts_every_version_of_an_object() -> None:
    assert bound_of(pdf(page(3, b"4 0 R"), stream(4, LONG), stream(4, TEXT))).text_bytes >= 5_000


HOSTILE: dict[str, bytes] = {
    "encrypted": one_page() + b"trailer << /Encrypt 9 0 R >>",
    "not a PDF": b"%PDF-1.7 nothing" + b"stream",
    "kids twice": pdf(page(3, b"4 0 R"), stream(4, TEXT), kids=(3, 3)),
    "kids by reference": one_page(TEXT, b"9 0 obj\n<< /Kids 8 0 R >>\nendobj\n"),
    "kids with a comment": one_page(TEXT, b"9 0 obj\n<< /Kids [3 %\n 0 R] >>\nendobj\n"),
    "escaped key": one_page(TEXT, b"9 0 obj\n<< /#4bids 8 0 R >>\nendobj\n"),
    "contents by reference to a list": pdf(page(3, b"9 0 R"), b"9 0 obj\n[4 0 R 4 0 R]\nendobj\n", stream(4, LONG)),
    "contents of too many streams": pdf(page(3, b"[" + b"4 0 R " * 40_000 + b"]"), stream(4, TEXT)),
    "contents in an image": pdf(page(3, b"4 0 R"), stream(4, LONG, header=IMAGE)),
    "nested forms": one_page(b"/F Do", stream(5, b"/G Do /G Do", header=FORM), stream(6, LONG, header=FORM)),
    "form in an image": one_page(b"/F Do", stream(5, LONG, header=b"/Subtype 9 0 R ")),
    "type 3 font": one_page(TEXT, b"9 0 obj\n<< /Subtype /Type3 >>\nendobj\n"),
    "replaced text": one_page(TEXT, b"9 0 obj\n<< /ActualText (" + b"x" * 99 + b") >>\nendobj\n"),
    "attachment": one_page(TEXT, stream(9, LONG, header=b"/Type /EmbeddedFile ")),
    "bomb": one_page(b"\0" * (MAX_INFLATED + 1)),
    "broken stream": one_page(TEXT).replace(zlib.compress(TEXT)[:4], b"\0\0\0\0"),
    "cut stream": one_page(LONG)[:-120],
    "other filter": one_page(TEXT).replace(b"FlateDecode", b"LZWDecode"),
    "two filters": one_page(TEXT).replace(b"/FlateDecode", b"[/ASCIIHexDecode /FlateDecode]"),
    "filter by reference": one_page(TEXT).replace(b"/Filter /FlateDecode", b"/Filter 9 0 R"),
    "predictor": one_page(TEXT).replace(b"/Length", b"/DecodeParms << /Predictor 12 >> /Length"),
    "table in an image": one_page(TEXT, b"6 0 obj\n<< /ToUnicode 7 0 R >>\nendobj\n", stream(7, LONG, header=IMAGE)),
    "names by reference": one_page(TEXT, b"6 0 obj\n<< /Differences 7 0 R >>\nendobj\n"),
    "object split by a comment": one_page(TEXT, b"4 %\n0 obj\n<< >>\nendobj\n"),
    "filter in a comment": one_page(
        TEXT, b"4 0 obj\n<< /Filter /FlateDecode %%9 0 obj <<\n>>\nstream\n%s\nendstream" % LONG
    ),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_file_that_is_not_simple_has_no_bound(data: bytes) -> None:
    assert pdf_bound(data) is None


@pytest.mark.parametrize("flate", [True, False])
@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"/Type /ObjStm /N 1 /First 4 ", b"4 0 [5 0 R 5 0 R]"),
        (b"/Type /ObjStm /N 2 /First 8 ", b"9 0 4 5 null [5 0 R 5 0 R]"),
        (b"/Type /ObjStm /N 1 /First 0 ", b"4 4 [5 0 R 5 0 R]"),
        (b"/Type /ObjStm /N 0 /First 4 ", b"4 0 [5 0 R 5 0 R]"),
        (b"/Type /ObjStm /N 1 /First 8 0 R ", b"4 0 [5 0 R 5 0 R]"),
        (b"/Type /ObjStm /N 2 /First 99 %/N 0\n", b"9 0 +4 5 null [5 0 R 5 0 R]"),
        (b"/Type /ObjStm /N 1 /First 9 ", b"% 7\n\0004 0 [5 0 R 5 0 R]"),
    ],
)
def test_stream_with_the_number_of_an_object_in_a_stream_has_no_bound(header: bytes, text: bytes, flate: bool) -> None:
    inside = stream(7, text, header=header, flate=flate)
    assert pdf_bound(one_page(TEXT, stream(5, LONG), inside)) is None
    assert pdf_bound(pdf(page(3, b"6 0 R"), stream(6, TEXT), stream(5, LONG), inside)) is not None


def test_stream_keeps_its_number_after_outlines_and_beside_integers_in_a_stream() -> None:
    outlines = b"8 0 obj\n<< /Type /Outlines /First 9 0 R >>\nendobj\n"
    assert pdf_bound(pdf(page(3, b"4 0 R"), outlines, stream(4, TEXT))) is not None
    inside = stream(7, b"8 0 9 2 4 4 ", header=b"/Type /ObjStm /N 2 /First 8 ")
    assert pdf_bound(one_page(TEXT, inside)) is not None


@pytest.mark.parametrize("hide", [lambda o: b"%" + o, lambda o: b"/X (" + o + b")"], ids=["comment", "string"])
def test_stream_with_a_false_object_header_keeps_its_number(hide: Callable[[bytes], bytes]) -> None:
    data = zlib.compress(LONG)
    false = b"4 0 obj\n<< %s\n/Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n" % (hide(b"9 0 obj <<"), data)
    bound = pdf_bound(pdf(page(3, b"4 0 R"), stream(4, TEXT), false))
    assert bound is None or bound.text_bytes >= 5_000


@given(
    st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from([b"", b"\n", b"\r\n", b"\0"]),
    st.booleans(),
)
def test_bound_covers_the_strings_of_every_page(pages: list[list[bytes]], blank: bytes, flate: bool) -> None:
    objects, expected = list[bytes](), 0
    for number, strings in enumerate(pages):
        shown = [text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") for text in strings]
        content = b" ".join(b"(%s)%sTj <%s> Tj" % (text, blank, text.hex().encode()) for text in shown)
        objects += [page(10 + 2 * number, b"%d 0 R" % (11 + 2 * number)), stream(11 + 2 * number, content, flate=flate)]
        expected += 2 * sum(map(len, strings))
    bound = pdf_bound(pdf(*objects, kids=range(10, 10 + 2 * len(pages), 2)))
    assert bound is None or (bound.pages >= len(pages) and bound.text_bytes >= expected)


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 5))
def test_damaged_file_has_no_bound_or_a_true_one(noise: bytes, at: int, cut: int) -> None:
    data = one_page(LONG)
    at = min(at, len(data))
    damaged = data[:at] + noise + data[at + cut :]
    bound = pdf_bound(damaged)
    kept = (b"stream\n" + zlib.compress(LONG), b"/Filter /FlateDecode", b"/Contents 4 0 R", b"4 0 obj\n<<")
    is_readable = all(part in damaged for part in kept)
    assert bound is None or not is_readable or bound.text_bytes >= 5_000
