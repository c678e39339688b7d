"""No deployed file contains a key; common template linters do not detect this product's keys."""

import json
import re

from tests.architecture.project import CORE, FUNCTIONS, ROOT, functions, python_files, relative, template
from tests.architecture.stack.roles import cloud

KEY = re.compile(r"sk-or-v1-[0-9a-zA-Z]{8,}|x4k_live_[0-9A-Za-z]{8,}")
SECRET_NAME = re.compile(r"(^|_)(SECRET|TOKEN|PASSWORD|API_KEY)(_|$)")


def test_deployed_files_do_not_contain_keys() -> None:
    plain = [ROOT / name for name in ("template.yaml", "samconfig.toml", "Makefile")]
    files = [*plain, *sorted((ROOT / ".ci").iterdir()), *python_files(CORE, FUNCTIONS)]
    assert [relative(path) for path in files if KEY.search(path.read_text())] == []
    assert KEY.search(json.dumps(cloud())) is None


def test_key_patterns_match_known_key_shapes() -> None:
    for key in ("sk-or-v1-" + "0123456789abcdef" * 4, "x4k_live_" + "0aZ" * 12):
        assert KEY.search(f"KEY: {key}")


def test_variables_and_parameters_do_not_hold_secrets() -> None:
    names = {variable for function in functions() for variable in function.environment}
    assert [name for name in sorted(names) if SECRET_NAME.search(name)] == []
    assert [name for name, body in template()["Parameters"].items() if body.get("NoEcho")] == []
