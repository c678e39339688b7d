"""Whom an error is about: the key, the caller, or the model and the provider behind it."""

import json
from typing import Any

import pytest

from instant.domain.errors import CredentialRejected, CreditsExhausted, InstantError, UpstreamError, UpstreamUnavailable
from instant.domain.exchange import Reply
from instant.integrations.openrouter.errors import failure_of

PROVIDERS = {"provider_name": "Meadow", "raw": "no"}
OWN = {"provider_name": None}


def failed(status: int, message: str = "no", *, metadata: Any = None, **more: Any) -> tuple[type[InstantError], bool]:
    """The kind of the failure, and whether it is one of the resource."""
    error = {"code": status, "message": message, **({"metadata": metadata} if metadata else {}), **more}
    failure = failure_of(Reply(status=status, body=json.dumps({"error": error}).encode()))
    return type(failure.error), failure.is_counted


@pytest.mark.parametrize(
    ("status", "metadata", "kind"),
    [
        (401, None, CredentialRejected),
        (401, OWN, CredentialRejected),
        (401, PROVIDERS, UpstreamError),
        (402, None, CreditsExhausted),
        (402, OWN, CreditsExhausted),
        (402, PROVIDERS, UpstreamError),
    ],
)
def test_only_openrouters_own_error_is_about_the_key(status: int, metadata: Any, kind: type[InstantError]) -> None:
    assert failed(status, metadata=metadata) == (kind, False)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_page_of_the_edge_is_not_about_the_key(status: int) -> None:
    failure = failure_of(Reply(status=status, body=b"<html>Authorization Required</html>"))
    assert type(failure.error) is UpstreamUnavailable
    assert failure.error.retryable


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        ({"status": 429}, False),
        ({"status": 429, "metadata": {"limit_source": "openrouter_free_tier_daily", **OWN}}, False),
        ({"status": 429, "metadata": {"limit_source": "upstream_provider_shared_pool"}}, True),
        ({"status": 429, "metadata": PROVIDERS}, True),
        ({"status": 429, "metadata": {**PROVIDERS, "is_byok": True}}, False),
        ({"status": 404}, True),
        ({"status": 404, "message": "No endpoints found matching your data policy"}, False),
        ({"status": 404, "availability": {"code": "privacy_restricted"}}, False),
        ({"status": 400}, True),
        ({"status": 404, "message": "No allowed providers are available for the selected model."}, False),
        ({"status": 404, "message": "No endpoints found that support image input"}, False),
        ({"status": 404, "message": "No endpoints found that support video input"}, False),
        ({"status": 404, "message": "No endpoints found that support tool use"}, True),
        ({"status": 400, "metadata": {"error_type": "invalid_image"}}, False),
        ({"status": 400, "metadata": {**PROVIDERS, "raw": "Could not process image"}}, False),
        ({"status": 400, "message": "Failed to download the file from the given URL"}, False),
        ({"status": 500}, True),
    ],
)
def test_failures_of_the_caller_are_not_counted(error: dict[str, Any], counted: bool) -> None:
    assert failed(**error)[1] is counted
