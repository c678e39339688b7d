"""A fetched catalog is accepted only if it is complete, unduplicated and readable."""

from collections.abc import Mapping
from typing import Any

import pytest

from instant.domain.exchange import Reply, Request
from instant.use_cases.catalog.fetch import SyncRefused, fetch_catalog
from tests.fakes.openrouter.exact_json import encode
from tests.fakes.whole_replies import WholeReplies


class Pages(WholeReplies):
    """Plays replies one after the other and remembers what was asked."""

    def __init__(self, *replies: Reply) -> None:
        """Take the replies."""
        self._replies = list(replies)
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    def send(self, request: Request, *, seconds: float) -> Reply:
        """The next reply; the last one for ever."""
        self.asked.append(request.path)
        self.headers.append(request.headers)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def row(number: int) -> dict[str, Any]:
    """A readable row."""
    return {"id": f"a/{number}", "architecture": {"output_modalities": ["text"]}, "pricing": {"prompt": "0"}}


def page(rows: list[Any], *, following: str | None = None, status: int = 200, **more: Any) -> Reply:
    """One page."""
    body = {"data": rows, "links": {"next": following and f"/api/v1{following}"}, **more}
    return Reply(status=status, body=encode(body))


def fetched(pages: Pages) -> list[str]:
    """The ids of a whole catalog."""
    whole = fetch_catalog(pages)
    assert whole is not None
    return list(whole.models)


def test_fetch_reads_one_page() -> None:
    pages = Pages(page([row(1), row(2)], total_count=2))
    assert fetched(pages) == ["a/1", "a/2"]
    assert pages.asked == ["/models?output_modalities=all"]


def test_fetch_reads_all_pages_in_order() -> None:
    pages = Pages(
        page([row(1)], following="/models?offset=1", total_count=3),
        page([row(2)], following="/models?offset=2", total_count=3),
        page([row(3)], total_count=3),
    )
    assert fetched(pages) == ["a/1", "a/2", "a/3"]
    assert pages.asked == ["/models?output_modalities=all", "/models?offset=1", "/models?offset=2"]


REFUSED: dict[str, list[Reply]] = {
    "error": [page([row(1)], status=500)],
    "html": [Reply(status=200, body=b"<html></html>")],
    "empty": [page([])],
    "doubled": [page([row(1), row(1)])],
    "doubled over pages": [page([row(1)], following="/models?offset=1"), page([row(1)])],
    "fewer than announced": [page([row(1)], total_count=2)],
    "more than announced": [page([row(1), row(2)], total_count=1)],
    "broken second page": [page([row(1)], following="/models?offset=1"), page([row(2)], status=429)],
    "unreadable": [page([row(number) for number in range(97)] + [{}, {}, None])],
    "all unreadable": [page([{}])],
}


@pytest.mark.parametrize("case", REFUSED)
def test_fetch_rejects_a_doubtful_catalog(case: str) -> None:
    with pytest.raises(SyncRefused):
        fetch_catalog(Pages(*REFUSED[case]))


def test_fetch_accepts_two_unreadable_rows_in_a_hundred() -> None:
    rows = [row(number) for number in range(98)]
    assert len(fetched(Pages(page([*rows, {}, {}], total_count=100)))) == 98


def test_fetch_records_the_model_of_an_unreadable_row() -> None:
    rows = [row(number) for number in range(99)]
    whole = fetch_catalog(Pages(page([*rows, {"id": "a/broken", "pricing": 7}])))
    assert whole is not None
    assert whole.unreadable == {"a/broken"}
    with pytest.raises(SyncRefused, match="twice"):
        fetch_catalog(Pages(page([*rows, {"id": "a/7", "pricing": 7}])))


def test_fetch_does_not_reread_an_unchanged_list() -> None:
    tagged = Reply(status=200, body=encode({"data": [row(1)]}), headers={"etag": 'W/"one"'})
    bare = page([row(1)])
    for reply, asks in ((tagged, 'W/"one"'), (bare, None)):
        pages = Pages(reply)
        whole = fetch_catalog(pages)
        assert whole is not None
        assert fetch_catalog(pages, validator=whole.validator) is None
        assert [headers.get("If-None-Match") for headers in pages.headers] == [None, asks]
        assert fetch_catalog(Pages(page([row(2)])), validator=whole.validator) is not None
    assert fetch_catalog(Pages(Reply(status=304, body=b"")), validator='W/"one"') is None
    with pytest.raises(SyncRefused):
        fetch_catalog(Pages(Reply(status=304, body=b"")))


def test_fetch_keeps_no_validator_for_several_pages() -> None:
    whole = fetch_catalog(Pages(page([row(1)], following="/models?offset=1"), page([row(2)])))
    assert whole is not None
    assert whole.validator is None


def test_fetch_stops_on_an_endless_list() -> None:
    class Endless(Pages):
        def send(self, request: Request, *, seconds: float) -> Reply:
            """Another page, always."""
            self.asked.append(request.path)
            return page([row(len(self.asked))], following=f"/models?offset={len(self.asked)}")

    pages = Endless(page([]))
    with pytest.raises(SyncRefused, match="50 pages"):
        fetch_catalog(pages)
    assert len(pages.asked) == 50
