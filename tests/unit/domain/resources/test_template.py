"""Templates are filled once, and inserted values are never interpreted."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.errors import InvalidField
from instant.domain.resources.template import names_in, render, rendered_bytes


@given(st.text(), st.text())
def test_template_inserts_text_unchanged(left: str, right: str) -> None:
    assert render("a {{left}} b {{ right }} c", {"left": left, "right": right}) == f"a {left} b {right} c"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_template_inserts_other_values_as_json(value: object) -> None:
    rendered = render("{{x}}", {"x": value})
    assert rendered == ("" if value is None else json.dumps(value, ensure_ascii=False))


@given(st.text(alphabet="{} abx_1"))
def test_template_is_rejected_or_leaves_no_placeholder(template: str) -> None:
    try:
        names = names_in(template)
    except InvalidField:
        return
    filled = render(template, dict.fromkeys(names, "V"))
    assert "{{" not in filled
    assert filled.count("V") == len(_placeholders(template))


def _placeholders(template: str) -> list[str]:
    """Return the placeholders by an independent method: the text between two pairs of braces."""
    return [part for part in template.split("{{")[1:] if "}}" in part]


def test_template_lists_names_once_in_order() -> None:
    assert names_in("{{b}} {{a}} {{b}} {{_c9}}") == ["b", "a", "_c9"]


@pytest.mark.parametrize(
    "template",
    [
        "{{",
        "{{ }}",
        "{{1}}",
        "{{a b}}",
        "{{{a}}}",
        "{{#a}}",
        "{{#if x}}",
        "{{a.b}}",
        "{{a|upper}}",
        "{{a",
        '{{"a": 1}}',
        "{{a-b}}",
        "{{größe}}",
        '{{"{{}}',
        '{{""}}',
        '{{"x"}}',
        "{{\"{'}}",
    ],
)
def test_template_rejects_braces_that_form_no_placeholder(template: str) -> None:
    with pytest.raises(InvalidField):
        names_in(template)


def test_template_accepts_json_around_a_placeholder() -> None:
    assert render('{"q": {"x": {{n}} }}', {"n": 1}) == '{"q": {"x": 1 }}'


@pytest.mark.parametrize(
    "template",
    [
        'Answer like {"city": {"name": "Oslo"}}, about {{topic}}.',
        '{"a": {"b": {"c": 1}}} {{topic}}',
        "{{topic}}}}",
        "}} {{topic}} {",
        '{"topic": "{{topic}}"}',
    ],
)
def test_template_treats_json_with_closing_braces_as_text(template: str) -> None:
    assert names_in(template) == ["topic"]
    assert render(template, {"topic": "the sea"}) == template.replace("{{topic}}", "the sea")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('Write {{"{{"}}name}} literally.', "Write {{name}} literally."),
        ("{{ '{{' }}#if x}}", "{{#if x}}"),
        ('{{"{"}}{{a}}}', "{V}"),
        ('{{"{{{"}}{{a}}{{"}}}"}}', "{{{V}}}"),
        ('{"x": {{"{"}}{{a}}: 1}}', '{"x": {V: 1}}'),
    ],
)
def test_template_writes_braces_in_quotes_as_they_are(template: str, text: str) -> None:
    assert names_in(template) in ([], ["a"])
    assert render(template, {"a": "V"}) == text
    assert rendered_bytes(template, {"a": "V"}) == len(text)


@given(st.text(alphabet="{} ab"))
def test_template_can_write_every_text(text: str) -> None:
    template = re.sub(r"\{+", lambda braces: f'{{{{"{braces[0]}"}}}}', text)
    assert names_in(template) == []
    assert render(template, {}) == text


def test_template_inserts_values_with_braces_in_quotes_unchanged() -> None:
    assert render("{{a}}", {"a": '{{"{{"}}'}) == '{{"{{"}}'


def test_template_rejection_names_the_way_to_write_braces() -> None:
    with pytest.raises(InvalidField) as caught:
        names_in("{{#if x}}")
    assert '{{"{{"}}' in caught.value.message


@pytest.mark.parametrize("template", ["", "é", "{{a}}", "é{{a}}{{b}}{{ a }}{{c}}é", "{{a}}" * 100])
def test_template_length_is_known_without_rendering(template: str) -> None:
    values = {"a": "é{{b}}", "b": {"æ": [1.5, None]}}
    assert rendered_bytes(template, values) == len(render(template, values).encode())
