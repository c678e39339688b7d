"""The HTTP client of a function: each integration at its default base URL, or at the one that the operator sets."""

from functools import partial

from instant.adapters.http.upstream import HttpUpstream
from instant.integrations import base_url_of
from instant.settings import UpstreamSettings


def upstream_of(settings: UpstreamSettings) -> HttpUpstream:
    """The client of the function that has these settings."""
    return HttpUpstream(partial(base_url_of, overrides=settings.base_urls))
