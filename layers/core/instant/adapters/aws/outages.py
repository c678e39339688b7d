"""Recognizes calls to AWS that failed for a time: no answer, or no capacity, after all retries."""

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

_NO_CAPACITY = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
}
"""Codes of AWS for a call that can succeed later."""


def is_outage(error: Exception) -> bool:
    """Whether the call can succeed later; pynamodb names the error of the client as its cause."""
    return any(map(_is_temporary, (error, getattr(error, "cause", None), error.__cause__)))


def _is_temporary(error: object) -> bool:
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code") in _NO_CAPACITY
    return isinstance(error, HTTPClientError | ConnectionError)
