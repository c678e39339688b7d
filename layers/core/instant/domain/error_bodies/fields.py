"""Two fields of error bodies: `type`, and the redacted names of fields."""

_BY_CODE = {
    "credits_exhausted": "insufficient_quota",
    "cost_cap": "insufficient_quota",
    "budget_exhausted": "insufficient_quota",
}
_BY_STATUS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}

MAX_PART_LENGTH = 40
"""Maximum length of one part of a field name in an error."""


def error_type(code: str, status: int) -> str:
    """The `type` of errors with this code and status, as clients of OpenAI's API know it."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    return _BY_STATUS.get(status) or ("invalid_request_error" if status < 500 else "api_error")


def redacted_field(field: str) -> str:
    """A dotted path, redacted: callers choose the names of unknown fields, and a long part could be a key."""
    return ".".join(part if len(part) <= MAX_PART_LENGTH else "…" for part in field.split("."))
