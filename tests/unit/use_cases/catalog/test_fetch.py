"""A fetched catalog is accepted only if it is complete, unduplicated and readable."""

from collections.abc import Mapping
from typing import Any

import pytest

from instant.domain.exchange import Reply, Request
from instant.use_cases.catalog.fetch import SyncRefused, fetch_catalog
from tests.fakes.openrouter.exact_json import encode
from tests.fakes.whole_replies import WholeReplies


class Pages(WholeReplies):
    """A service that returns these replies in order and records the requests."""

    def __init__(self, *replies: Reply) -> None:
        """Start without requests."""
        self._replies = list(replies)
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    def send(self, request: Request, *, seconds: float) -> Reply:
        """Return the next reply; repeat the last one."""
        self.paths.append(request.path)
        self.headers.append(request.headers)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def row(number: int) -> dict[str, Any]:
    """Return a readable row."""
    return {"id": f"a/{number}", "architecture": {"output_modalities": ["text"]}, "pricing": {"prompt": "0"}}


def page(rows: list[Any], *, following: str | None = None, status: int = 200, **more: Any) -> Reply:
    """Return one page of a list."""
    body = {"data": rows, "links": {"next": following and f"/api/v1{following}"}, **more}
    return Reply(status=status, body=encode(body))


def fetched(pages: Pages) -> list[str]:
    """Return the ids of the fetched catalog."""
    catalog = fetch_catalog(pages)
    assert catalog is not None
    return list(catalog.models)


def test_fetch_reads_one_page() -> None:
    pages = Pages(page([row(1), row(2)], total_count=2))
    assert fetched(pages) == ["a/1", "a/2"]
    assert pages.paths == ["/models?output_modalities=all"]


def test_fetch_reads_all_pages_in_order() -> None:
    pages = Pages(
        page([row(1)], following="/models?offset=1", total_count=3),
        page([row(2)], following="/models?offset=2", total_count=3),
        page([row(3)], total_count=3),
    )
    assert fetched(pages) == ["a/1", "a/2", "a/3"]
    assert pages.paths == ["/models?output_modalities=all", "/models?offset=1", "/models?offset=2"]


REJECTED: dict[str, list[Reply]] = {
    "error": [page([row(1)], status=500)],
    "html": [Reply(status=200, body=b"<html></html>")],
    "empty": [page([])],
    "duplicate": [page([row(1), row(1)])],
    "duplicate across pages": [page([row(1)], following="/models?offset=1"), page([row(1)])],
    "fewer than announced": [page([row(1)], total_count=2)],
    "more than announced": [page([row(1), row(2)], total_count=1)],
    "failed second page": [page([row(1)], following="/models?offset=1"), page([row(2)], status=429)],
    "unreadable": [page([row(number) for number in range(97)] + [{}, {}, None])],
    "all unreadable": [page([{}])],
}


@pytest.mark.parametrize("case", REJECTED)
def test_fetch_rejects_an_implausible_catalog(case: str) -> None:
    with pytest.raises(SyncRefused):
        fetch_catalog(Pages(*REJECTED[case]))


def test_fetch_accepts_two_unreadable_rows_in_a_hundred() -> None:
    rows = [row(number) for number in range(98)]
    assert len(fetched(Pages(page([*rows, {}, {}], total_count=100)))) == 98


def test_fetch_records_the_model_of_an_unreadable_row() -> None:
    rows = [row(number) for number in range(99)]
    catalog = fetch_catalog(Pages(page([*rows, {"id": "a/broken", "pricing": 7}])))
    assert catalog is not None
    assert catalog.unreadable == {"a/broken"}
    with pytest.raises(SyncRefused, match="twice"):
        fetch_catalog(Pages(page([*rows, {"id": "a/7", "pricing": 7}])))


def test_fetch_does_not_reread_an_unchanged_list() -> None:
    with_etag = Reply(status=200, body=encode({"data": [row(1)]}), headers={"etag": 'W/"one"'})
    without_etag = page([row(1)])
    for reply, validator in ((with_etag, 'W/"one"'), (without_etag, None)):
        pages = Pages(reply)
        catalog = fetch_catalog(pages)
        assert catalog is not None
        assert fetch_catalog(pages, validator=catalog.validator) is None
        assert [headers.get("If-None-Match") for headers in pages.headers] == [None, validator]
        assert fetch_catalog(Pages(page([row(2)])), validator=catalog.validator) is not None
    assert fetch_catalog(Pages(Reply(status=304, body=b"")), validator='W/"one"') is None
    with pytest.raises(SyncRefused):
        fetch_catalog(Pages(Reply(status=304, body=b"")))


def test_fetch_keeps_no_validator_for_several_pages() -> None:
    catalog = fetch_catalog(Pages(page([row(1)], following="/models?offset=1"), page([row(2)])))
    assert catalog is not None
    assert catalog.validator is None


def test_fetch_stops_on_an_endless_list() -> None:
    class Endless(Pages):
        def send(self, request: Request, *, seconds: float) -> Reply:
            """Return another page with a next link."""
            self.paths.append(request.path)
            return page([row(len(self.paths))], following=f"/models?offset={len(self.paths)}")

    pages = Endless(page([]))
    with pytest.raises(SyncRefused, match="50 pages"):
        fetch_catalog(pages)
    assert len(pages.paths) == 50
