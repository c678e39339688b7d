"""A secret is not shown by any common way of displaying a value."""

import copy
import io
import json
import logging
import marshal
import pickle
import pprint
import reprlib
import string
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from urllib.parse import quote, urlencode

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic_core import PydanticSerializationError, to_json

from instant.domain.exchange import Request
from instant.domain.secret import MASK, Mask, Secret

HIDDEN = "sk-or-v1-canary-canary-canary"


@dataclass
class Holder:
    """A dataclass with a secret."""

    key: Secret


class Form(BaseModel):
    """A request body with a secret."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    api_key: Secret


def _failure(secret: Secret) -> traceback.TracebackException:
    holder = {"kept": secret}
    try:
        raise ValueError(len(holder))
    except ValueError as error:
        return traceback.TracebackException.from_exception(error, capture_locals=True)


def test_secret_can_be_revealed() -> None:
    assert Secret(HIDDEN).reveal() == HIDDEN


HIDING: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "conversion": "{!r}".format,
    "ascii": "{0!a}".format,
    "in a container": lambda secret: repr([secret, {"k": secret}]),
    "pprint": lambda secret: pprint.pformat({"k": [secret] * 9}),
    "reprlib": lambda secret: reprlib.repr([secret]),
    "in a dataclass": lambda secret: repr(Holder(secret)),
    "JSON that falls back on repr": lambda secret: json.dumps(secret, default=repr),
    "traceback with locals": lambda secret: "".join(_failure(secret).format()),
}

FAILING: dict[str, Callable[[Secret], object]] = {
    "str": str,
    "format": "{}".format,
    "padded": "{:>40}".format,
    "f-string": lambda secret: f"{secret}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031
    "join": lambda secret: "".join([secret]),  # type: ignore[list-item]
    "json": lambda secret: json.dumps({"key": secret}),
    **{f"pickle {number}": partial(pickle.dumps, protocol=number) for number in range(pickle.HIGHEST_PROTOCOL + 1)},
    "pickle inside": lambda secret: pickle.dumps({"k": [secret]}),
    "copy": copy.copy,
    "dict": lambda secret: secret.__dict__,
    "asdict": lambda secret: asdict(Holder(secret)),
    "template": lambda secret: string.Template("$key").substitute(key=secret),
    "format_map": lambda secret: "{key}".format_map({"key": secret}),
    "JSON that falls back on str": lambda secret: json.dumps(secret, default=str),
    "JSON of its fields": lambda secret: json.dumps(secret, default=vars),
    "marshal": lambda secret: marshal.dumps(secret),  # type: ignore[arg-type]
    "encode": lambda secret: urlencode({"key": secret}),
    "quote": lambda secret: quote(secret),  # type: ignore[call-overload]
    "sum": lambda secret: "Bearer " + secret,  # type: ignore[operator]
    "index": lambda secret: secret[0],  # type: ignore[index]
    "iterate": lambda secret: list(secret),  # type: ignore[call-overload]
    "length": lambda secret: len(secret),  # type: ignore[arg-type]
    "deepcopy": copy.deepcopy,
    "vars": vars,
    "bytes": lambda secret: bytes(secret),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("way", HIDING)
def test_secret_repr_hides_the_value(way: str) -> None:
    shown = HIDING[way](Secret(HIDDEN))
    assert "canary" not in shown
    assert "Secret" in shown


@pytest.mark.parametrize("way", FAILING)
def test_secret_other_conversions_raise_without_showing_the_value(way: str) -> None:
    with pytest.raises((TypeError, AttributeError, ValueError)) as caught:
        FAILING[way](Secret(HIDDEN))
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_secret_error_names_the_type_and_the_reveal_method() -> None:
    assert repr(Secret(HIDDEN)) == "Secret(…)"
    with pytest.raises(TypeError, match=r"^a Secret has no text form; use reveal\(\) where it leaves the process$"):
        str(Secret(HIDDEN))
    with pytest.raises(TypeError, match=r"^a Secret cannot be pickled or copied$"):
        pickle.dumps(Secret(HIDDEN))


def test_secret_is_not_shown_in_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").info("%r", Secret(HIDDEN))
    assert "Secret" in caplog.text
    assert "canary" not in caplog.text


def test_secret_log_line_that_formats_its_text_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    lines = io.StringIO()
    log = logging.getLogger("test.secret")
    log.propagate = False  # pytest's handlers raise; a StreamHandler writes the error to stderr
    log.handlers = [logging.StreamHandler(lines)]
    log.error("%s", Secret(HIDDEN))
    log.error("key: %s, %s", "x", Secret(HIDDEN))
    log.error("the key", extra={"key": Secret(HIDDEN)})
    shown = lines.getvalue() + capsys.readouterr().err
    assert lines.getvalue() == "the key\n"
    assert "Secret(…)" in shown
    assert "canary" not in shown


def test_secret_is_not_shown_by_a_request() -> None:
    request = Request(method="GET", base_url="https://example.com", path="/", bearer=Secret(HIDDEN))
    assert "canary" not in repr(request)
    with pytest.raises(TypeError):
        asdict(request)


def test_secret_is_not_shown_by_a_model() -> None:
    form = Form(api_key=HIDDEN)
    assert form.api_key == Secret(HIDDEN)
    assert "canary" not in f"{form!r} {form}"
    adapter = TypeAdapter(Form)
    for dump in (
        form.model_dump,
        partial(form.model_dump, mode="json"),
        form.model_dump_json,
        partial(form.model_copy, deep=True),
        partial(adapter.dump_python, form),
        partial(adapter.dump_json, form),
        partial(to_json, form),
    ):
        with pytest.raises((TypeError, PydanticSerializationError)) as caught:
            dump()
        assert "canary" not in str(caught.value)


def test_secret_model_field_accepts_bounded_text_and_does_not_serialize() -> None:
    form = create_model("Form", key=Secret)
    for text in ("k", "k" * 4096):
        assert form.model_validate({"key": text}) == form.model_construct(key=Secret(text))
        with pytest.raises(PydanticSerializationError, match=r"TypeError: a Secret cannot be serialized$"):
            form.model_validate({"key": text}).model_dump_json()
    for value in ("", "k" * 4097, b"k", 1, None):
        with pytest.raises(ValidationError):
            form.model_validate({"key": value})


@pytest.mark.parametrize("body", [{"api_key": HIDDEN * 300}, {"api_key": [HIDDEN]}, {"api_key": HIDDEN, "more": 1}])
def test_secret_is_not_repeated_when_a_body_is_rejected(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate(body)
    shown = [{**error, "input": None} for error in caught.value.errors(include_input=False)]
    assert "canary" not in f"{caught.value} {shown}"


def test_secret_equals_only_an_equal_secret() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert hash(Secret("a")) != hash(Secret("b"))


KEY = "sk-or-v1-0aZ_"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"my key: {KEY}.", "my key: [key]."),
        (f"{KEY}{KEY}", "[key][key]"),
        (KEY.replace("s", r"\u0073"), "[key]"),
        (KEY.replace("o", r"\u006F").replace("-", r"\\u002d"), "[key]"),
        (KEY.replace("Z", r"\u007a"), KEY.replace("Z", r"\u007a")),
        (KEY[:-1], KEY[:-1]),
        (r"\u0073 and \u4e2d", r"\u0073 and \u4e2d"),
    ],
)
def test_mask_replaces_a_secret_with_any_json_escapes(text: str, masked: str) -> None:
    mask = Mask(Secret(KEY))
    assert mask.text(text) == masked
    assert mask.data(text.encode()) == masked.encode()
    assert mask.value({text: [text, 1, None, {"a": text}]}) == {masked: [masked, 1, None, {"a": masked}]}


@pytest.mark.parametrize("blanks", [" ", "\n", " \u00a0\t"])
@pytest.mark.parametrize("key", [KEY, KEY.replace("o", r"\u006f"), KEY.replace("-", r"\\u002d")])
def test_mask_replaces_a_secret_with_blanks_inside(key: str, blanks: str) -> None:
    mask = Mask(Secret(KEY))
    for at in range(1, len(key)):
        if "\\" not in key[max(0, at - 6) : at]:
            assert mask.text(f"A {key[:at]}{blanks}{key[at:]} b") == "A [key] b"
    assert mask.text(f"s k {KEY[:-1]} {KEY[1:]}") == f"s k {KEY[:-1]} {KEY[1:]}"


@pytest.mark.parametrize("key", [" ", "a b", " a"])
def test_mask_replaces_a_secret_that_has_blanks_itself(key: str) -> None:
    assert Mask(Secret(key)).text(f"{key}.{key.replace(' ', r'\u0020')}") == "[key].[key]"


def test_mask_without_a_secret_changes_nothing() -> None:
    assert Mask(None).text(KEY) == KEY
    assert Mask(None).data(b"\xff\\u00") == b"\xff\\u00"
    assert Mask(None).value([KEY]) == [KEY]


def test_mask_keeps_other_bytes() -> None:
    data = bytes(range(256)) + rb"\u0041"
    assert Mask(Secret(KEY)).data(data + KEY.encode()) == data + b"[key]"


def test_mask_does_not_show_the_secret() -> None:
    assert KEY not in repr(Mask(Secret(KEY)))


def test_mask_takes_linear_time_for_runs_of_backslashes() -> None:
    text = "\\" * 1_000_000 + "\\u0041"
    assert Mask(Secret(KEY_OF_MASK)).text(text) == text


def test_mask_finds_a_key_whose_escapes_are_escaped_as_code_points() -> None:
    escaped = "".join(f"\\u005cu00{ord(each):02x}" for each in KEY_OF_MASK)
    assert Mask(Secret(KEY_OF_MASK)).text(f'{{"a":"{escaped}"}}') == '{"a":"' + MASK + '"}'


KEY_OF_MASK = "sk-or-v1-" + "0123456789abcdef" * 4
