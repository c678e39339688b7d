"""The built artifacts at work: each function under AWS's runtime client, behind the local gateway, moto as AWS."""

import io
import os

import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.local.demo import Demo
from tests.local.layout import Built
from tests.local.seed import seed
from tests.local.stack import ROOT, Stack

pytestmark = pytest.mark.e2e

BUILD = ROOT / os.environ.get("ARTIFACTS", ".aws-sam/arm64")


def test_the_demo_runs_on_what_was_built() -> None:
    output = io.StringIO()
    with FakeOpenRouter() as upstream, Stack(code=Built(BUILD), upstream_url=upstream.url, port=0) as stack:
        keys = seed(stack.environment("AuthorizerFunction")["API_KEYS_TABLE"], stack.admin, ROOT / "layers/core")
        Demo(stack.url, keys, output).run(None)
    assert "execute it" in output.getvalue()
