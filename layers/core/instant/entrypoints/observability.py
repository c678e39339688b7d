"""Logging: the runtime client writes JSON lines, and libraries that would log keys are kept quiet."""

import logging

LIBRARIES = ("aws_lambda_powertools", "botocore", "httpcore", "httpx", "pynamodb", "urllib3")
"""At DEBUG these log paths, requests and decrypted keys, whatever the root level is set to."""


def quiet_libraries() -> None:
    """Hold every library's logger at WARNING."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
