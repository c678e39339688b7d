"""Adapters of the ports: the only place with botocore, pynamodb and httpx; one file a port, under the port's name."""

import logging

logging.getLogger("pynamodb").setLevel(logging.WARNING)  # it logs two lines while it is imported, in every cold start
