"""Logging: the runtime client writes JSON lines, and libraries that would log keys are kept quiet."""

import logging

LIBRARIES = ("botocore", "urllib3", "httpx", "httpcore", "pynamodb")
"""At DEBUG these log requests and decrypted keys, whatever the root level is set to."""


def quiet_libraries() -> None:
    """Hold every library's logger at WARNING."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
