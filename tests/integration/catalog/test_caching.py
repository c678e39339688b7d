"""Public model answers carry an ETag, and a matching If-None-Match returns 304 without a body."""

from collections.abc import Iterator

import pytest

from instant.entrypoints.catalog import responses as model_answers
from tests.fakes.openrouter.catalog.build import age_of_newest
from tests.integration.app import Answer, App, deployed_app
from tests.integration.aws_calls import operations, recorded
from tests.integration.http.test_openapi import OPERATIONS, conforms

LARK = "/api/models/meadow/lark"
QUERIES: list[dict[str, str]] = [
    {},
    {"limit": "2"},
    {"limit": "3"},
    {"sort": "price"},
    {"sort": "-price"},
    {"q": "lark"},
    {"author": "meadow"},
    {"free": "true"},
    {"active": "false"},
    {"max_price": "0.0000001"},
    {"min_price": "0.0000001"},
    {"min_age_days": str(age_of_newest() + 100)},
    {"expiring_within_days": "3000"},
]


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    """An app that checks the catalog for a new sync once in five minutes."""
    with deployed_app(CatalogFreshSeconds="300") as app:
        app.sync()
        yield app


def ask(app: App, path: str = "/api/models", held: str | None = None, **query: str) -> Answer:
    """Send an unauthenticated request; `held` is the If-None-Match header."""
    headers = {} if held is None else {"If-None-Match": held}
    return app.call("GET", path, user=None, headers=headers, query=query)


@pytest.mark.parametrize("path", ["/api/models", LARK])
def test_matching_etag_returns_304_without_a_body(shared: App, path: str) -> None:
    first = ask(shared, path)
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    assert first.headers["Cache-Control"] == "public, max-age=60"
    for held in (tag, f"W/{tag}", f'"other", {tag}', f'W/"other" ,  W/{tag}', "*"):
        again = ask(shared, path, held)
        assert (again.status, again.text) == (304, ""), held
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (tag, "public, max-age=60")
        assert "Content-Type" not in again.headers
    for held in ('"other"', tag.strip('"'), tag[:-2] + '"', ""):
        again = ask(shared, path, held)
        assert (again.status, again.text, again.headers["ETag"]) == (200, first.text, tag), held


def test_if_none_match_accepts_any_case_and_repeated_headers(shared: App) -> None:
    tag = ask(shared).headers["ETag"]
    event = {
        "path": "/api/models",
        "resource": "/api/models",
        "httpMethod": "GET",
        "headers": {"if-none-match": tag},
        "multiValueHeaders": {"if-none-match": ['"other"', tag]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "requestContext": {"stage": "test"},
        "body": None,
        "isBase64Encoded": False,
    }
    assert shared.invoke("CatalogFunction", event)["statusCode"] == 304


def test_etag_differs_exactly_when_the_answer_differs(shared: App) -> None:
    responses = {(answer.text, answer.headers["ETag"]) for answer in (ask(shared, **query) for query in QUERIES)}
    assert len({text for text, _ in responses}) == len({tag for _, tag in responses}) == len(responses) == len(QUERIES)
    assert ask(shared, active="true").headers["ETag"] == ask(shared).headers["ETag"]


def test_etags_of_other_answers_do_not_match(shared: App) -> None:
    tags = [ask(shared, **query).headers["ETag"] for query in QUERIES]
    for query, tag in zip(QUERIES, tags, strict=True):
        others = ", ".join(other for other in tags if other != tag)
        assert ask(shared, held=others, **query).headers["ETag"] == tag
        assert ask(shared, held=others, **query).status == 200


def test_invalid_request_returns_an_error_despite_if_none_match(shared: App) -> None:
    assert ask(shared, held="*", sort="random").status == 422
    assert ask(shared, held="*", cursor="garbage").status == 422
    assert ask(shared, "/api/models/no/such", "*").status == 404
    assert "ETag" not in ask(shared, sort="random").headers


def test_tag_memory_keeps_a_bounded_number_of_tags(shared: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_answers, "MAX_TAGS", 3)
    answers = shared.module("CatalogFunction").browser._answers
    for limit in range(1, 9):
        tag = ask(shared, limit=str(limit)).headers["ETag"]
        assert len(answers._tags) <= 3
        assert ask(shared, held=tag, limit=str(limit)).status == 304


def test_warm_function_answers_without_database_reads(shared: App) -> None:
    ask(shared)
    with recorded("dynamodb") as calls:
        for query in QUERIES:
            assert ask(shared, **query).status == 200
    assert operations(calls) == []


def test_list_rows_match_the_documented_schema(shared: App) -> None:
    schema = OPERATIONS["GET", "/api/models"]["responses"]["200"]["content"]["application/json"]["schema"]
    conforms(schema, ask(shared, limit="200").json)
