"""The API's own base address comes from the stage, a custom domain, or the operator's setting."""

from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from instant.entrypoints.http.links import api_address, with_links


def app_at(path: str, resource: str, host: str | None = "api.example", **headers: str) -> APIGatewayRestResolver:
    app = APIGatewayRestResolver()
    event: dict[str, Any] = {"resource": resource, "headers": headers or None}
    event["requestContext"] = {"path": path} | ({"domainName": host} if host else {})
    app.current_event = APIGatewayProxyEvent(event)
    return app


@pytest.mark.parametrize(
    ("path", "resource", "address"),
    [
        ("/dev/api/execute", "/api/execute", "https://api.example/dev"),
        ("/dev/api/execute/", "/api/execute", "https://api.example/dev"),
        ("/dev/api/execute?a=/b/c", "/api/execute", "https://api.example/dev"),
        ("/api/execute", "/api/execute", "https://api.example"),
        ("/models/v1/api/execute", "/api/execute", "https://api.example/models/v1"),
        ("/dev/api/executions/exe%2F1", "/api/executions/{execution_id}", "https://api.example/dev"),
    ],
)
def test_links_keep_the_path_prefix_before_the_route(path: str, resource: str, address: str) -> None:
    assert api_address(app_at(path, resource)) == address


def test_links_keep_the_scheme_of_the_request() -> None:
    app = app_at("/local/api/execute", "/api/execute", "127.0.0.1:8080", **{"x-forwarded-proto": "http"})
    assert api_address(app) == "http://127.0.0.1:8080/local"


def test_links_prefer_the_address_set_by_the_operator() -> None:
    assert api_address(app_at("/dev/api/execute", "/api/execute"), "https://x4.example/") == "https://x4.example"


def test_links_keep_relative_paths_without_a_host() -> None:
    assert api_address(app_at("/dev/api/execute", "/api/execute", None)) == ""


@pytest.mark.parametrize(
    "answer",
    [{}, {"output": None}, {"output": {"type": "text", "content": "/api/images/img_1"}}, {"output": {"urls": []}}],
)
def test_links_ignore_an_answer_without_urls(answer: dict[str, Any]) -> None:
    assert with_links(answer, "https://api.example") == answer


def test_links_replace_paths_in_a_copy() -> None:
    answer = {"output": {"type": "image", "content": None, "urls": ["/api/images/img_1"]}}
    linked = with_links(answer, "https://api.example/dev")
    assert linked["output"]["urls"] == ["https://api.example/dev/api/images/img_1"]
    assert answer["output"]["urls"] == ["/api/images/img_1"]


def test_links_replace_paths_inside_texts() -> None:
    first, second = "/api/images/img_1", "/api/images/img_12"
    output = {
        "type": "image",
        "content": f"![a]({first}) ![b]({second}) /api/images/img_3",
        "urls": [second, first],
        "tool_calls": [{"arguments": f'{{"image": "{second}"}}'}],
    }
    linked = with_links({"output": output}, "https://x.example")["output"]
    assert linked == {
        "type": "image",
        "content": f"![a](https://x.example{first}) ![b](https://x.example{second}) /api/images/img_3",
        "urls": [f"https://x.example{second}", f"https://x.example{first}"],
        "tool_calls": [{"arguments": f'{{"image": "https://x.example{second}"}}'}],
    }
