"""Bodies made to break a reader, or to keep it busy; tests send them, and the benchmark tells the slowest."""

import json
from collections.abc import Iterator
from typing import Any

FITS = 5_900_000
"""Bytes that pass the largest limit of a body."""


def keys(count: int) -> str:
    return "{" + ",".join(f'"{number}":0' for number in range(count)) + "}"


HOSTILE = {
    "10,000 lists": '{"config":' + "[" * 10_000 + "]" * 10_000 + "}",
    "10,000 objects": '{"a":' * 10_000 + "0" + "}" * 10_000,
    "33 levels": '{"a":' + "[" * 32 + "]" * 32 + "}",
    "lists that nobody closes": '{"config":' + "[" * 300_000,
    "more ends than beginnings": "]}" * 150_000,
    "a million keys": keys(1_000_000),
    "as many keys as fit": keys(500_000),
    "as many keys as fit a small body": keys(35_000) + "}",
    "a million elements": '{"config":[' + "0," * 1_000_000 + "0]}",
    "a million empty objects": '{"config":[' + "{}," * 1_000_000 + "{}]}",
    "a million texts": '{"config":[' + '"",' * 1_000_000 + '""]}',
    "10 MB": '{"name":"' + "x" * 10_000_000 + '"}',
    "quotes without end": '{"name":' + '"' * 300_000,
    "a text without end": '{"name":"' + '\\"' * 150_000,
    "a long text without end": '{"name":"' + '\\"' * (FITS // 2),
    "backslashes without end": '{"name":"' + "\\" * 300_001,
    "commas": "," * 45_000,
    "NUL, raw": '{"name":"a\0b"}',
    "NUL, escaped": '{"name":"a\\u0000b"}',
    "NUL, escaped, behind a long name": '{"' + "n" * 100_000 + '":"\\u0000"}',
    "NUL, escaped, deep down": '{"config":{"a":[["\\u0000"]]}}',
    "NUL, escaped, in a key": '{"config":{"\\u0000":1}}',
    "NUL after the end": '{"name":"a"}\0',
    "half a character": '{"name":"\\ud800"}',
    "half a character, raw": '{"name":"\udfff"}',
    "half a character, the wrong way round": '{"name":"\\udc00\\ud800"}',
    "NaN": '{"config":{"temperature":NaN}}',
    "Infinity": '{"config":{"temperature":Infinity}}',
    "minus Infinity": '{"config":{"temperature":-Infinity}}',
    "1e400": '{"config":{"temperature":1e400}}',
    "-1e400": '{"config":{"temperature":-1e400}}',
    "100,000 digits": '{"config":{"seed":' + "9" * 100_000 + "}}",
    "100,000 digits behind the point": '{"config":{"temperature":0.' + "9" * 100_000 + ',"top_k":NaN}}',
    "a key twice": '{"name":"a","name":"b"}',
    "a key twice, deep down": '{"config":{"a":{"b":1,"b":2}}}',
    "a byte order mark": '\ufeff{"name":"a"}',
    "UTF-16, read as Latin": '{"name":"a"}'.encode("utf-16").decode("latin-1"),
    "nothing": "",
    "blanks": " \n",
    "blanks, as many as fit": " " * FITS,
    "a form": "name=a&config=b",
    "another form of JSON": "{name: 'a'}",
    "a comment": '{"name":"a"} // really',
    "two lines": '{"name":"a"}\n{"name":"a"}',
}

BYTES = {
    "no UTF-8": b'{"name":"\xff\xfe"}',
    "half a character in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "UTF-32": '{"name":"a"}'.encode("utf-32"),
    "nothing readable": bytes(range(256)),
    "gzip": bytes.fromhex("1f8b0800000000000203abae0500") * 10,
}


def draft(properties: dict[str, Any], template: str = "Hello.") -> dict[str, Any]:
    """Settings of a template with these inputs."""
    return {"template": template, "input_schema": {"type": "object", "properties": properties}}


def preview(part: Any, value: Any, template: str = "Hello.") -> str:
    """The body of a preview of a template with one input."""
    config = {"model": "meadow/lark", **draft({"it": part}, template)}
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": {"it": value}})


def by_default(part: Any, value: Any) -> str:
    """The same, where the input is the schema's own."""
    config = {"model": "meadow/lark", **draft({"it": {**part, "default": value}})}
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": {}})


def by_the_whole() -> str:
    """Inputs that the alternatives of the whole object look at."""
    rules = {"anyOf": [{"properties": {"it": {"items": {"const": number}}}} for number in range(2_000)]}
    config = {"model": "meadow/lark", **draft({"it": {}})}
    config["input_schema"] |= rules
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": {"it": [-1] * 10_000}})


LONG = 10**39
"""The longest integer: no processor has it at hand."""

OBJECTS: dict[str, list[Any]] = {"enum": [{"a": number} for number in range(5_000)]}
SLOW_PATTERN = "(?:a|aa|aaa|[ab]{1,50}){1,10}c"
"""Of all that stay linear and may be compiled, it needs the most time for each byte."""

LABORIOUS = {
    "a list by many values": (preview({"items": OBJECTS}, [{"a": -1}] * 5_000), "schema_steps"),
    "a default by many values": (by_default({"items": OBJECTS}, [{"a": -1}] * 5_000), "schema_steps"),
    "a list by many alternatives": (
        preview({"anyOf": [{"items": {"const": number}} for number in range(2_000)]}, [-1] * 10_000),
        "schema_steps",
    ),
    "all inputs by many alternatives": (by_the_whole(), "schema_steps"),
    "many times one of many": (
        preview({"items": {"oneOf": [{"const": number} for number in range(5_000)]}}, [4_999] * 5_000),
        "schema_steps",
    ),
    "long numbers that differ": (
        preview({"uniqueItems": True}, [LONG + number for number in range(20_000)]),
        "schema_steps",
    ),
    "long text, measured often": (
        preview({"allOf": [{"maxLength": 5_000_000}] * 5_000}, "x" * 5_000_000),
        "schema_steps",
    ),
    "numbers of many digits": (
        preview({"items": {"allOf": [{"maximum": 10**4_000}] * 60}}, [10**3_999] * 100),
        "number_digits",
    ),
    "a slow pattern": (preview({"pattern": SLOW_PATTERN}, "ab" * 2_000_000), "pattern_bytes"),
    "a slow pattern for a default": (by_default({"pattern": SLOW_PATTERN}, "ab" * 100_000), "pattern_bytes"),
}
"""What would take from seconds to minutes, and the limit that it is beyond."""


def everything() -> str:
    """Inputs and defaults that both take as long as they may, each looked at twice."""
    parts: dict[str, dict[str, Any]] = {
        "it": {"items": {"anyOf": [{"multipleOf": 0.3}] * 58 + [{}]}, "default": [LONG] * 735},
        "text": {"anyOf": [{"pattern": SLOW_PATTERN}, {}], "default": "ab" * 4_990},
    }
    config = {"model": "meadow/lark", **draft(parts)}
    inputs = {name: part["default"] for name, part in parts.items()}
    return json.dumps({"resource_type": "prompt_template", "config": config, "inputs": inputs})


def bearable() -> Iterator[tuple[str, str]]:
    """What takes longest of all that is within the limits."""
    yield "multiples of a half", preview({"items": {"allOf": [{"multipleOf": 0.5}] * 60}}, [LONG] * 785)
    yield "the same by default", by_default({"items": {"allOf": [{"multipleOf": 0.5}] * 60}}, [LONG] * 785)
    yield "long numbers that differ", preview({"uniqueItems": True}, [LONG + number for number in range(305)])
    yield "alternatives", preview({"items": {"anyOf": [{"multipleOf": 0.3}] * 60}}, [LONG] * 785)
    yield "objects by value", preview({"items": {"enum": OBJECTS["enum"][:200]}}, [{"a": 199}] * 118)
    yield "a slow pattern", preview({"pattern": SLOW_PATTERN}, "ab" * 4_990)
    yield "a slow pattern, once more", preview({"anyOf": [{"pattern": SLOW_PATTERN}]}, "ab" * 4_990)
    yield "many patterns", preview({"allOf": [{"pattern": f"(\\w{{{n},20}}){{2}}"} for n in range(1, 16)]}, "a" * 650)
    yield "all of it at once", everything()
    yield "a gap that stands often", preview({}, [0] * 30_000, "{{it}}" * 30_000)
    yield "a gap that stands often, long", preview({}, "x" * 5_000_000, "{{it}}" * 30_000)
    yield "values", preview({}, [0] * 33_000)
    yield "text", preview({}, "x" * FITS)
