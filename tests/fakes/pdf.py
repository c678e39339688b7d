"""Small PDFs, honest or not, written object by object."""

import zlib
from collections.abc import Sequence

TEXT = b"BT /F1 12 Tf (Hello) Tj ET"


def stream(number: int, content: bytes, *, header: bytes = b"", flate: bool = True) -> bytes:
    """Return a stream object."""
    data = zlib.compress(content) if flate else content
    filters = b"/Filter /FlateDecode " if flate else b""
    return b"%d 0 obj\n<< %s%s/Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
        number,
        header,
        filters,
        len(data),
        data,
    )


def page(number: int, contents: bytes = b"", more: bytes = b"") -> bytes:
    """Return a page object whose `/Contents` is this."""
    shown = b"/Contents %s " % contents if contents else b""
    return b"%d 0 obj\n<< /Type /Page /Parent 2 0 R %s%s>>\nendobj\n" % (number, shown, more)


def pdf(*objects: bytes, kids: Sequence[int] = (3,)) -> bytes:
    """Return a file with a catalog, a page tree with these kids, and these objects."""
    named = b" ".join(b"%d 0 R" % kid for kid in kids)
    return b"".join(
        (
            b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
            b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
            b"2 0 obj\n<< /Type /Pages /Kids [%s] /Count %d >>\nendobj\n" % (named, len(kids)),
            *objects,
            b"trailer\n<< /Root 1 0 R >>\n%%EOF\n",
        )
    )


def one_page(content: bytes = TEXT, *more: bytes) -> bytes:
    """Return a file with one page that shows `content`."""
    return pdf(page(3, b"4 0 R"), stream(4, content), *more)
