"""AWS clients: created on first use, one per service and process."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,  # including retries, one call that hangs still leaves time to close an execution
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="instant-resources",  # botocore would build a long user agent for every call
)

_SHORT_TIMEOUT = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})
"""Short timeouts, for optional reads and for checks before a call: at most two seconds."""

_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
"""Presigned URLs use the regional endpoint: the global endpoint may redirect, which breaks the signature."""


@cache
def client(service: str, *, short_timeout: bool = False) -> Any:
    """The client of one AWS service; creating one takes about 50 ms, a second one with short timeouts 4 ms."""
    config = _CONFIG.merge(_SHORT_TIMEOUT) if short_timeout else _CONFIG
    return _session().create_client(service, config=config.merge(_S3) if service == "s3" else config)


@cache
def _session() -> Session:
    return get_session()
