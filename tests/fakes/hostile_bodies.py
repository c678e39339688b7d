"""Request bodies that are malformed or expensive to parse, for tests and for the benchmark."""

import json
from collections.abc import Iterator
from typing import Any

FITS = 5_900_000
"""Bytes that are within the largest limit of a body."""


def keys(count: int) -> str:
    return "{" + ",".join(f'"{number}":0' for number in range(count)) + "}"


HOSTILE = {
    "10,000 lists": '{"config":' + "[" * 10_000 + "]" * 10_000 + "}",
    "10,000 objects": '{"a":' * 10_000 + "0" + "}" * 10_000,
    "33 levels": '{"a":' + "[" * 32 + "]" * 32 + "}",
    "unclosed lists": '{"config":' + "[" * 300_000,
    "more closing than opening brackets": "]}" * 150_000,
    "a million keys": keys(1_000_000),
    "as many keys as fit": keys(500_000),
    "as many keys as fit a small body": keys(35_000) + "}",
    "a million elements": '{"config":[' + "0," * 1_000_000 + "0]}",
    "a million empty objects": '{"config":[' + "{}," * 1_000_000 + "{}]}",
    "a million strings": '{"config":[' + '"",' * 1_000_000 + '""]}',
    "10 MB": '{"name":"' + "x" * 10_000_000 + '"}',
    "unclosed quotes": '{"name":' + '"' * 300_000,
    "an unclosed string": '{"name":"' + '\\"' * 150_000,
    "a long unclosed string": '{"name":"' + '\\"' * (FITS // 2),
    "backslashes in an unclosed string": '{"name":"' + "\\" * 300_001,
    "commas": "," * 45_000,
    "NUL, raw": '{"name":"a\0b"}',
    "NUL, escaped": '{"name":"a\\u0000b"}',
    "NUL, escaped, after a long name": '{"' + "n" * 100_000 + '":"\\u0000"}',
    "NUL, escaped, deep down": '{"config":{"a":[["\\u0000"]]}}',
    "NUL, escaped, in a key": '{"config":{"\\u0000":1}}',
    "NUL after the end": '{"name":"a"}\0',
    "a lone surrogate": '{"name":"\\ud800"}',
    "a lone surrogate, raw": '{"name":"\udfff"}',
    "surrogates in reverse order": '{"name":"\\udc00\\ud800"}',
    "NaN": '{"config":{"temperature":NaN}}',
    "Infinity": '{"config":{"temperature":Infinity}}',
    "minus Infinity": '{"config":{"temperature":-Infinity}}',
    "1e400": '{"config":{"temperature":1e400}}',
    "-1e400": '{"config":{"temperature":-1e400}}',
    "100,000 digits": '{"config":{"seed":' + "9" * 100_000 + "}}",
    "100,000 decimal places": '{"config":{"temperature":0.' + "9" * 100_000 + ',"top_k":NaN}}',
    "a duplicate key": '{"name":"a","name":"b"}',
    "a key twice, deep down": '{"config":{"a":{"b":1,"b":2}}}',
    "a byte order mark": '\ufeff{"name":"a"}',
    "UTF-16, decoded as Latin-1": '{"name":"a"}'.encode("utf-16").decode("latin-1"),
    "an empty body": "",
    "whitespace": " \n",
    "whitespace, as much as fits": " " * FITS,
    "a form body": "name=a&config=b",
    "JSON5": "{name: 'a'}",
    "a comment": '{"name":"a"} // really',
    "two lines": '{"name":"a"}\n{"name":"a"}',
}

BYTES = {
    "no UTF-8": b'{"name":"\xff\xfe"}',
    "a lone surrogate in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"name":"a"}'.encode("utf-16-le"),
    "UTF-32": '{"name":"a"}'.encode("utf-32"),
    "all byte values": bytes(range(256)),
    "gzip": bytes.fromhex("1f8b0800000000000203abae0500") * 10,
}


def draft(properties: dict[str, Any], template: str = "Hello.") -> dict[str, Any]:
    """Settings of a template with these input properties."""
    return {"template": template, "input_schema": {"type": "object", "properties": properties}}


def preview(part: Any, value: Any, template: str = "Hello.") -> str:
    """The body of a preview of a template with one input and its value."""
    config = {"model": "meadow/lark", **draft({"it": part}, template)}
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": {"it": value}})


def preview_of_default(part: Any, value: Any) -> str:
    """The body of a preview whose input comes from the default of the schema."""
    config = {"model": "meadow/lark", **draft({"it": {**part, "default": value}})}
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": {}})


def preview_with_any_of() -> str:
    """The body of a preview in which the `anyOf` of the whole object checks the input."""
    rules = {"anyOf": [{"properties": {"it": {"items": {"const": number}}}} for number in range(2_000)]}
    config = {"model": "meadow/lark", **draft({"it": {}})}
    config["input_schema"] |= rules
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": {"it": [-1] * 10_000}})


LONG = 10**39
"""An integer beyond 64 bits, so that arithmetic on it is slow."""

OBJECTS: dict[str, list[Any]] = {"enum": [{"a": number} for number in range(5_000)]}
SLOW_PATTERN = "(?:a|aa|aaa|[ab]{1,50}){1,10}c"
"""Of the patterns that are accepted, the one with the highest matching time per byte."""

OVER_LIMIT = {
    "a list checked against many values": (preview({"items": OBJECTS}, [{"a": -1}] * 5_000), "schema_steps"),
    "a default checked against many values": (
        preview_of_default({"items": OBJECTS}, [{"a": -1}] * 5_000),
        "schema_steps",
    ),
    "a list checked against many alternatives": (
        preview({"anyOf": [{"items": {"const": number}} for number in range(2_000)]}, [-1] * 10_000),
        "schema_steps",
    ),
    "all inputs checked against many alternatives": (preview_with_any_of(), "schema_steps"),
    "many items checked by a large oneOf": (
        preview({"items": {"oneOf": [{"const": number} for number in range(5_000)]}}, [4_999] * 5_000),
        "schema_steps",
    ),
    "long numbers that differ": (
        preview({"uniqueItems": True}, [LONG + number for number in range(20_000)]),
        "schema_steps",
    ),
    "a long string, measured repeatedly": (
        preview({"allOf": [{"maxLength": 5_000_000}] * 5_000}, "x" * 5_000_000),
        "schema_steps",
    ),
    "numbers of many digits": (
        preview({"items": {"allOf": [{"maximum": 10**4_000}] * 60}}, [10**3_999] * 100),
        "number_digits",
    ),
    "a slow pattern": (preview({"pattern": SLOW_PATTERN}, "ab" * 2_000_000), "pattern_bytes"),
    "a slow pattern for a default": (preview_of_default({"pattern": SLOW_PATTERN}, "ab" * 100_000), "pattern_bytes"),
}
"""Bodies that would take from seconds to minutes, each with the limit that rejects it."""


def slowest_inputs_and_defaults() -> str:
    """Inputs and defaults that are both as expensive as the limits allow, each validated twice."""
    parts: dict[str, dict[str, Any]] = {
        "it": {"items": {"anyOf": [{"multipleOf": 0.3}] * 58 + [{}]}, "default": [LONG] * 735},
        "text": {"anyOf": [{"pattern": SLOW_PATTERN}, {}], "default": "ab" * 4_990},
    }
    config = {"model": "meadow/lark", **draft(parts)}
    inputs = {name: part["default"] for name, part in parts.items()}
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": inputs})


def slowest_accepted() -> Iterator[tuple[str, str]]:
    """The slowest bodies that are within the limits, with their names."""
    yield "multiples of a half", preview({"items": {"allOf": [{"multipleOf": 0.5}] * 60}}, [LONG] * 785)
    yield (
        "multiples of a half, by default",
        preview_of_default({"items": {"allOf": [{"multipleOf": 0.5}] * 60}}, [LONG] * 785),
    )
    yield "long numbers that differ", preview({"uniqueItems": True}, [LONG + number for number in range(305)])
    yield "alternatives", preview({"items": {"anyOf": [{"multipleOf": 0.3}] * 60}}, [LONG] * 785)
    yield "objects by value", preview({"items": {"enum": OBJECTS["enum"][:200]}}, [{"a": 199}] * 118)
    yield "a slow pattern", preview({"pattern": SLOW_PATTERN}, "ab" * 4_990)
    yield "a slow pattern in anyOf", preview({"anyOf": [{"pattern": SLOW_PATTERN}]}, "ab" * 4_990)
    yield "many patterns", preview({"allOf": [{"pattern": f"(\\w{{{n},20}}){{2}}"} for n in range(1, 16)]}, "a" * 650)
    yield "slow inputs and defaults together", slowest_inputs_and_defaults()
    yield "a repeated placeholder", preview({}, [0] * 30_000, "{{it}}" * 30_000)
    yield "a repeated placeholder with a long value", preview({}, "x" * 5_000_000, "{{it}}" * 30_000)
    yield "values", preview({}, [0] * 33_000)
    yield "text", preview({}, "x" * FITS)
