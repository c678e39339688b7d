"""A catalog is believed only when all of it came, whole, once, and readable."""

from typing import Any

import pytest

from instant.domain.exchange import Reply, Request
from instant.use_cases.sync_catalog import SyncRefused, fetch_catalog
from tests.fakes.openrouter.exact_json import encode


class Pages:
    """Plays replies one after the other and remembers what was asked."""

    def __init__(self, *replies: Reply) -> None:
        """Take the replies."""
        self._replies = list(replies)
        self.asked: list[str] = []

    def send(self, request: Request, *, seconds: float) -> Reply:
        """The next reply; the last one for ever."""
        self.asked.append(request.path)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def row(number: int) -> dict[str, Any]:
    """A readable row."""
    return {"id": f"a/{number}", "architecture": {"output_modalities": ["text"]}, "pricing": {"prompt": "0"}}


def page(rows: list[Any], *, following: str | None = None, status: int = 200, **more: Any) -> Reply:
    """One page."""
    body = {"data": rows, "links": {"next": following and f"/api/v1{following}"}, **more}
    return Reply(status=status, body=encode(body))


def test_one_page_is_read() -> None:
    pages = Pages(page([row(1), row(2)], total_count=2))
    assert [model.openrouter_id for model in fetch_catalog(pages)] == ["a/1", "a/2"]
    assert pages.asked == ["/models?output_modalities=all"]


def test_all_pages_are_read_in_order() -> None:
    pages = Pages(
        page([row(1)], following="/models?offset=1", total_count=3),
        page([row(2)], following="/models?offset=2", total_count=3),
        page([row(3)], total_count=3),
    )
    assert [model.openrouter_id for model in fetch_catalog(pages)] == ["a/1", "a/2", "a/3"]
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
def test_a_catalog_in_doubt_is_refused(case: str) -> None:
    with pytest.raises(SyncRefused):
        fetch_catalog(Pages(*REFUSED[case]))


def test_two_unreadable_rows_in_a_hundred_are_tolerated() -> None:
    models = fetch_catalog(Pages(page([row(number) for number in range(98)] + [{}, {}], total_count=100)))
    assert len(models) == 98


def test_a_list_without_end_is_given_up() -> None:
    class Endless(Pages):
        def send(self, request: Request, *, seconds: float) -> Reply:
            """Another page, always."""
            self.asked.append(request.path)
            return page([row(len(self.asked))], following=f"/models?offset={len(self.asked)}")

    pages = Endless(page([]))
    with pytest.raises(SyncRefused, match="50 pages"):
        fetch_catalog(pages)
    assert len(pages.asked) == 50
