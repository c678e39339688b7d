"""AWS clients: made when first needed, one of each kind per process."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="instant-resources",  # botocore would put a long one together anew for every call
)


@cache
def client(service: str) -> Any:
    """The client of one AWS service; making one costs some 50 ms, using it again nothing."""
    config = _CONFIG if service != "s3" else _CONFIG.merge(Config(signature_version="s3v4"))
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    return get_session()
