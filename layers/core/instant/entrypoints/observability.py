"""Logging: the runtime client writes JSON lines, and libraries that could log keys are set to WARNING."""

import logging

LIBRARIES = ("aws_lambda_powertools", "botocore", "httpcore", "httpx", "pynamodb", "urllib3")
"""Libraries that log paths, requests and decrypted keys at DEBUG."""


def quiet_libraries() -> None:
    """Set the loggers of these libraries to WARNING."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
