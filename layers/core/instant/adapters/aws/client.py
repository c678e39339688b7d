"""AWS clients: made when first needed, one of each kind per process."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,  # with its repeats, one call that hangs still leaves time to book an execution's end
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="instant-resources",  # botocore would put a long one together anew for every call
)

_SHORT_TIMEOUT = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})
"""For what a call can do without, or must not begin without: it is held up by two seconds at most."""

_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
"""Links name the bucket's own region: the global name redirects there at first, which breaks the signature."""


@cache
def client(service: str, *, short_timeout: bool = False) -> Any:
    """The client of one AWS service; making one costs some 50 ms, a quick one beside it 4 ms, using it nothing."""
    config = _CONFIG.merge(_SHORT_TIMEOUT) if short_timeout else _CONFIG
    return _session().create_client(service, config=config.merge(_S3) if service == "s3" else config)


@cache
def _session() -> Session:
    return get_session()
