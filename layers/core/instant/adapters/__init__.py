"""Adapters: the only package that uses botocore, pynamodb and httpx; one module per port, with the same name."""

import logging

logging.getLogger("pynamodb").setLevel(logging.WARNING)  # it logs two lines on import, in every cold start
