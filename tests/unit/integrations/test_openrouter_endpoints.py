"""The endpoints of a model are parsed, and other responses are rejected."""

from typing import Any

import pytest

from instant.domain.catalog.endpoint import Endpoint
from instant.domain.exchange import Reply
from instant.integrations.openrouter.endpoints import endpoints_request, read_endpoints
from tests.fakes.openrouter.exact_json import encode


def read(endpoints: Any, status: int = 200) -> tuple[Endpoint, ...] | None:
    """Return the endpoints that are parsed from this list."""
    return read_endpoints(Reply(status=status, body=encode({"data": {"id": "a/b", "endpoints": endpoints}})))


def test_endpoints_returns_every_field() -> None:
    row = {
        "provider_name": "Northwind", "tag": "northwind/fp8", "status": -2, "uptime_last_1d": 99.7,
        "latency_last_30m": {"p50": 420.5, "p99": 1_500}, "throughput_last_30m": {"p50": 31}, "context_length": 8_192,
        "max_completion_tokens": None, "quantization": "fp8",
        "pricing": {"prompt": "0.00000008333333333333334", "discount": 0, "overrides": [], "image": None, "odd": "?"},
    }  # fmt: skip
    assert read([row]) == (
        Endpoint(
            provider="Northwind",
            tag="northwind/fp8",
            status=-2,
            uptime_1d="99.7",
            latency_ms="420.5",
            throughput="31",
            context_length=8_192,
            quantization="fp8",
            pricing={"prompt": "0.00000008333333333333334", "discount": "0"},
        ),
    )


@pytest.mark.parametrize("invalid", [None, 7, True, "x", [], {}, [None], {"p50": []}])
def test_endpoints_returns_malformed_fields_as_unknown(invalid: Any) -> None:
    names = ("tag", "status", "uptime_last_1d", "latency_last_30m", "throughput_last_30m", "context_length", "pricing")
    found = read([{"provider_name": "N", **dict.fromkeys(names, invalid)}, {"provider_name": invalid}, invalid])
    assert found is not None
    assert found[0].provider == "N"
    assert found[0].pricing == {} or isinstance(invalid, dict)


def test_endpoints_cuts_long_texts() -> None:
    long = "x" * 450_000
    found = read([{"provider_name": long, "tag": long, "quantization": long, "pricing": {long: "1", "prompt": "2"}}])
    assert found == (Endpoint(provider="x" * 200, tag="x" * 200, quantization="x" * 200, pricing={"prompt": "2"}),)


def test_endpoints_rejects_a_body_that_is_not_a_list() -> None:
    row = {"provider_name": "N"}
    assert read([]) == ()
    invalid: list[Any] = [None, {}, "x", [row] * 101]
    assert [read(endpoints) for endpoints in invalid] == [None] * 4
    assert read([row], status=404) is None
    assert read_endpoints(Reply(status=200, body=b"<html>")) is None


@pytest.mark.parametrize(
    ("model", "path"),
    [("~a/b.c:free", "/models/~a/b.c:free/endpoints"), ("a/b?x=1#y", "/models/a/b%3Fx%3D1%23y/endpoints")],
)
def test_endpoints_escapes_an_unusual_id_in_the_path(model: str, path: str) -> None:
    assert endpoints_request(model).path == path
