"""Each promise in SECURITY.md names existing tests."""

import re

import pytest

from tests.architecture.project import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
PROMISES = [tuple(line.strip("| ").split(" | ")) for line in re.findall(r"^\| (?!promise).+\|$", TEXT, re.MULTILINE)]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0][:60])
def test_security_promise_names_existing_tests(promise: tuple[str, str]) -> None:
    _, shown_by = promise
    paths = shown_by.split(", ")
    assert all(re.fullmatch(r"`tests/[\w/]+/test_\w+\.py`", path) for path in paths)
    assert [path for path in paths if not (ROOT / path.strip("`")).is_file()] == []


def test_security_document_has_promises_and_limits() -> None:
    assert len(PROMISES) >= 20
    for heading in ("Report a vulnerability", "What is promised", "What is not promised", "For operators"):
        assert f"\n## {heading}" in TEXT


def test_security_document_names_existing_template_parameters() -> None:
    parameters = set(re.findall(r"`((?:Api|Alarm|Request|Execute)[A-Za-z]+)`", TEXT))
    template = (ROOT / "template.yaml").read_text()
    assert parameters
    assert [name for name in sorted(parameters) if f"\n  {name}:\n" not in template] == []
