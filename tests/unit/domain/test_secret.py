"""A secret is shown by no way in which values are usually shown."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError

from instant.domain.exchange import Request
from instant.domain.secret import Secret

HIDDEN = "sk-or-v1-canary-canary-canary"


class Form(BaseModel):
    """A request body with a secret in it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    api_key: Secret


def test_it_can_be_revealed() -> None:
    assert Secret(HIDDEN).reveal() == HIDDEN


HIDING: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "conversion": "{!r}".format,
    "ascii": "{0!a}".format,
    "inside": lambda secret: repr([secret, {"k": secret}]),
}

FAILING: dict[str, Callable[[Secret], object]] = {
    "str": str,
    "format": "{}".format,
    "padded": "{:>40}".format,
    "f-string": lambda secret: f"{secret}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031
    "join": lambda secret: "".join([secret]),  # type: ignore[list-item]
    "json": lambda secret: json.dumps({"key": secret}),
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "vars": vars,
    "bytes": lambda secret: bytes(secret),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("way", HIDING)
def test_its_repr_hides_it(way: str) -> None:
    shown = HIDING[way](Secret(HIDDEN))
    assert "canary" not in shown
    assert "Secret" in shown


@pytest.mark.parametrize("way", FAILING)
def test_every_other_way_to_show_it_fails_without_a_word_of_it(way: str) -> None:
    with pytest.raises(TypeError) as caught:
        FAILING[way](Secret(HIDDEN))
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_log_line_about_it_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").info("%r", Secret(HIDDEN))
    assert "Secret" in caplog.text
    assert "canary" not in caplog.text


def test_a_request_that_carries_it_does_not_show_it() -> None:
    request = Request(method="GET", base_url="https://example.com", path="/", bearer=Secret(HIDDEN))
    assert "canary" not in repr(request)
    with pytest.raises(TypeError):
        asdict(request)


def test_a_model_that_holds_it_does_not_show_it() -> None:
    form = Form(api_key=HIDDEN)
    assert form.api_key == Secret(HIDDEN)
    assert "canary" not in f"{form!r} {form}"
    for dump in (form.model_dump, form.model_dump_json):
        with pytest.raises((TypeError, PydanticSerializationError)) as caught:
            dump()
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("body", [{"api_key": HIDDEN * 300}, {"api_key": [HIDDEN]}, {"api_key": HIDDEN, "more": 1}])
def test_a_refused_form_does_not_repeat_it(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate(body)
    told = [{**error, "input": None} for error in caught.value.errors(include_input=False)]
    assert "canary" not in f"{caught.value} {told}"


def test_equal_secrets_are_equal_and_nothing_else_is() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
