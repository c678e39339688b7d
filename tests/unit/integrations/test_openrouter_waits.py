"""The wait after a refusal is read from every place where OpenRouter and providers report it."""

import json
from typing import Any

import pytest

from instant.domain.errors import RateLimited, UpstreamUnavailable
from instant.domain.exchange import Reply
from instant.integrations.openrouter import OpenRouter
from instant.integrations.openrouter.errors import failure_of, nothing_done
from instant.integrations.openrouter.waits import DAY

DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
SECONDS_1970 = 1_795_348_800
LATER = "Sun, 22 Nov 2026 12:00:30 GMT"


def limited(metadata: Any = None, headers: dict[str, str] | None = None, status: int = 429, **more: Any) -> Reply:
    """Return a refusal with these headers."""
    error = {"code": status, "message": "Provider returned error", "metadata": metadata, **more}
    return Reply(status=status, body=json.dumps({"error": error}).encode(), headers={"date": DATE, **(headers or {})})


WAITS: dict[str, tuple[Reply, int]] = {
    "seconds": (limited(headers={"retry-after": "30"}), 30),
    "decimals": (limited(headers={"retry-after": "29.2"}), 30),
    "date": (limited(headers={"retry-after": LATER}), 30),
    "milliseconds": (limited(headers={"retry-after-ms": "29500"}), 30),
    "more than a day": (limited(headers={"retry-after": "9" * 5_000}), DAY),
    "reset in seconds": (limited(headers={"x-ratelimit-reset": "30"}), 30),
    "standard reset": (limited(headers={"ratelimit-reset": "30", "ratelimit-remaining": "0"}), 30),
    "reset as a timestamp": (limited(headers={"x-ratelimit-reset": f"{SECONDS_1970 + 30}"}), 30),
    "reset in milliseconds": (limited(headers={"x-ratelimit-reset": f"{SECONDS_1970 + 30}000"}), 30),
    "reset as a date": (limited(headers={"x-ratelimit-reset": LATER}), 30),
    "reset that has passed": (limited(headers={"x-ratelimit-reset": f"{SECONDS_1970 - 30}000"}), 0),
    "headers in metadata": (limited({"headers": {"Retry-After": "30"}}), 30),
    "reset in metadata": (
        limited({"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{SECONDS_1970 + 30}000"}}),
        30,
    ),
    "number in metadata": (limited({"headers": {"X-RateLimit-Reset": SECONDS_1970 + 30}}), 30),
    "metadata": (limited({"retry_after_seconds": 30, "retry_after_seconds_raw": 29.1}), 30),
    "decimals in metadata": (limited({"retry_after": 29.1}), 30),
    "availability": (limited(availability={"code": "capacity_exhausted", "retry_after": 30}, status=503), 30),
    "words of the provider": (limited({"raw": "Rate limit reached. Please try again in 29.3s."}), 30),
    "other words": (limited({"raw": '{"details": [{"retryDelay": "30s"}]}'}), 30),
    "minutes": (limited({"raw": "Retry after 2 minutes"}), 120),
    "header before metadata": (limited({"retry_after_seconds": 5}, {"retry-after": "30"}), 30),
}


@pytest.mark.parametrize("case", WAITS)
def test_wait_is_read_from_every_place(case: str) -> None:
    reply, seconds = WAITS[case]
    error = failure_of(reply).error
    assert isinstance(error, RateLimited | UpstreamUnavailable)
    assert (error.wait, OpenRouter().retry_after(reply)) == (seconds, seconds)


@pytest.mark.parametrize(
    "reply",
    [
        limited(),
        limited(headers={"x-ratelimit-reset": "30", "x-ratelimit-remaining": "12"}),
        limited(headers={"x-ratelimit-reset": "soon", "retry-after": "later"}),
        limited({"headers": ["Retry-After"], "retry_after_seconds": True, "raw": 7}),
        limited({"headers": {"Retry-After": {"seconds": 30}}, "retry_after": [30]}),
        Reply(status=429, body=b"<html>", headers={"retry-after": LATER}),
        Reply(status=429, body=b"", headers={"x-ratelimit-reset": f"{SECONDS_1970}000"}),
    ],
)
def test_wait_is_the_usual_one_if_none_is_reported(reply: Reply) -> None:
    assert OpenRouter().retry_after(reply) is None
    assert failure_of(reply).error.wait == 10


def test_daily_limit_is_recognised_in_its_old_spelling() -> None:
    words = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
    body = json.dumps({"error": {"code": 429, "message": words}}).encode()
    reply = Reply(status=429, body=body, headers={"date": DATE, "retry-after": "3"})
    assert not nothing_done(reply)
    assert failure_of(reply).error.retry_after == DAY // 2
