"""The doors: the only place with botocore, pynamodb and httpx; one file a port, under the port's name."""
