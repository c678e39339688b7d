"""A callback must match an address listed by the operator, or it is rejected."""

import re

import pytest

from instant.domain.access.callback import MAX_LENGTH, Callback, places
from tests.architecture.project import template

DEPLOYABLE = re.compile(template()["Parameters"]["ConnectCallbackUrls"]["AllowedPattern"])
LISTED = places("https://good.example/callback,https://good.example:8443/cb,http://localhost:3000/callback")

EQUAL = [
    "https://good.example/callback",
    "https://GOOD.example/callback",
    "HTTPS://good.EXAMPLE/callback",
    "https://good.example:443/callback",
    "https://good.example:0443/callback",
    "https://good.example/callback?",
    "https://good.example/callback?next=/a/b&lang=de",
    "https://good.example/callback?next=https://evil.example/%23x",
    "https://good.example:8443/cb",
    "http://localhost:3000/callback",
    "http://LOCALHOST:3000/callback",
]

ELSEWHERE = [
    "https://good.example.evil.com/callback",
    "https://evil.com/good.example/callback",
    "https://xgood.example/callback",
    "https://good.example./callback",
    "https://www.good.example/callback",
    "https://good.example",
    "https://good.example/",
    "https://good.example/callback/",
    "https://good.example/Callback",
    "https://good.example/callbacks",
    "https://good.example/callback/x",
    "https://good.example/callback/../x",
    "https://good.example/x/../callback",
    "https://good.example/./callback",
    "https://good.example//callback",
    "https://good.example/callback/%2e%2e/x",
    "https://good.example/%63allback",
    "https://good.example/callback;x",
    "https://good.example/callback%00",
    "https://good.example/callback%0d%0aLocation:%20//evil",
    "https://good.example:444/callback",
    "https://good.example:80/callback",
    "https://good.example:99999/callback",
    "https://good.example:8443/callback",
    "https://good.example/@evil",
    "https://xn--gd-fka.example/callback",
    "http://localhost/callback",
    "http://localhost:3001/callback",
    "http://127.0.0.1:3000/callback",
    "https://localhost:3000/callback",
]

NO_CALLBACK = [
    "",
    " ",
    "good.example/callback",
    "/callback",
    "//evil",
    "//good.example/callback",
    "https:good.example/callback",
    "https:/good.example/callback",
    "https:///good.example/callback",
    "https://",
    "https:///callback",
    "https://good.example:/callback",
    "https://good.example:x/callback",
    "https://good.example:-1/callback",
    "https://good.example:443:1/callback",
    "https://good.example:\N{ARABIC-INDIC DIGIT FOUR}43/callback",
    "https://good.example@evil",
    "https://good.example@evil/callback",
    "https://good.example:443@evil/callback",
    "https://user@good.example/callback",
    "https://user:pass@good.example/callback",
    "https://@good.example/callback",
    "https://evil%2f@good.example/callback",
    "https://good%2eexample/callback",
    "https://evil\\@good.example/callback",
    "https:\\\\good.example\\callback",
    "https://good.example\\.evil.com/callback",
    "https://good.example/callback\\..\\x",
    "https://good.example/callback#",
    "https://good.example/callback#@evil",
    "https://good.example#/callback",
    "https://good.example/callback\n",
    "\nhttps://good.example/callback",
    "https://good.example/call\nback",
    "https://good.\texample/callback",
    "https://good.example/callback ",
    " https://good.example/callback",
    "https://good.example/callback\0",
    "https://good.example/callback?a=b c",
    "https://good.example/callback?a=\r\nX: y",
    "https://good.example/callback?<script>",
    'https://good.example/callback?"',
    "https://g\N{LATIN SMALL LETTER O WITH DIAERESIS}od.example/callback",
    "https://go\N{CYRILLIC SMALL LETTER O}d.example/callback",
    "https://good\N{IDEOGRAPHIC FULL STOP}example/callback",
    "https://good.example\N{FRACTION SLASH}callback",
    "http\N{LATIN SMALL LETTER LONG S}://good.example/callback",
    "https://good.example/callbac\N{KELVIN SIGN}",
    "https://[::1]/callback",
    "https://[good.example/callback",
    "http://good.example/callback",
    "http://localhost.evil.com:3000/callback",
    "http://127.0.0.1.evil.com/callback",
    "http://[::1]:3000/callback",
    "http://0.0.0.0:3000/callback",
    "javascript:alert(1)",
    "javascript://good.example/callback%0aalert(1)",
    "data:text/html,https://good.example/callback",
    "ftp://good.example/callback",
    "x-app://callback",
    "view-source:https://good.example/callback",
    "https://good.example/callback?state=mine",
    "https://good.example/callback?a=b&code=mine",
    "https://good.example/callback?st%61te=",
    "https://good.example/callback?state",
    f"https://good.example/callback?{'a' * MAX_LENGTH}",
]


@pytest.mark.parametrize("url", EQUAL)
def test_callback_accepts_equivalent_spellings_of_an_address(url: str) -> None:
    assert any(Callback.parse(url).is_at(place) for place in LISTED)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_callback_rejects_near_matches(url: str) -> None:
    assert not any(Callback.parse(url).is_at(place) for place in LISTED)


@pytest.mark.parametrize("url", NO_CALLBACK)
def test_callback_rejects_urls_that_parsers_interpret_differently(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must (be a plain https URL|be an https URL|not contain code or state)"):
        Callback.parse(url)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("https://good.example/cb", "https://good.example/cb?state=S"),
        ("HTTPS://Good.Example:443/cb?", "https://good.example/cb?state=S"),
        ("https://good.example", "https://good.example/?state=S"),
        ("https://good.example:8443/cb?b=2&a=%26&b=", "https://good.example:8443/cb?b=2&a=%26&b=&state=S"),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1/cb?state=S"),
        ("https://good.example:80/cb", "https://good.example:80/cb?state=S"),
    ],
)
def test_callback_appends_state_and_keeps_the_client_query(url: str, whole: str) -> None:
    assert Callback.parse(url).with_state("S") == whole


@pytest.mark.parametrize(
    ("listed", "count"),
    [
        ("", 0),
        ("https://app.example", 1),
        ("https://app.example/,", 1),
        ("https://app.example:8443/a/b,http://localhost:3000/callback,http://127.0.0.1/", 3),
    ],
)
def test_callback_list_reads_deployable_values(listed: str, count: int) -> None:
    assert DEPLOYABLE.fullmatch(listed)
    assert len(places(listed)) == count


@pytest.mark.parametrize(
    "listed",
    [
        "*",
        "https://*.app.example/",
        "http://app.example/callback",
        "http://localhost.evil.com/",
        "https://app.example/callback?x=1",
        "https://app.example/callback#x",
        "https://user@app.example/callback",
        "https://app.example/call back",
        "https://app.example, https://b.example",
        "app.example/callback",
    ],
)
def test_callback_list_rejects_unreadable_values(listed: str) -> None:
    assert not DEPLOYABLE.fullmatch(listed)
    with pytest.raises(ValueError, match=r"must be|must not have a query"):
        places(listed)
