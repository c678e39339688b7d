"""The user's browser in the OAuth flow: it opens the authorization page, consents and receives a code."""

import re
from urllib.parse import parse_qsl, urlsplit

from tests.local.toy.calling import call


def allow(authorize_url: str) -> tuple[str, dict[str, str]]:
    """Return the callback URL and its query; without a callback, the code that the page shows."""
    page = urlsplit(authorize_url)
    answer = call(f"{page.scheme}://{page.netloc}", "GET", f"{page.path}?{page.query}")
    if answer.status == 200:
        shown = re.search(rb"<code>(.+)</code>", answer.body)
        assert shown, answer.body
        return "", {"code": shown[1].decode()}
    assert answer.status == 302, (answer.status, answer.body)
    back = urlsplit(answer.headers["Location"])
    return f"{back.scheme}://{back.netloc}{back.path}", dict(parse_qsl(back.query))
