"""The output of `make build` fits Lambda: the right architecture, compiled, complete and without other files.

ARTIFACTS is the folder of the build, named after its architecture.
"""

import importlib.util
import json
import marshal
import os
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import CodeType

import pytest

from tests.architecture.probe import load_from
from tests.architecture.project import CORE, ROOT, Function, functions

pytestmark = pytest.mark.e2e

BUILD = ROOT / os.environ.get("ARTIFACTS", ".aws-sam/arm64")
PACKAGES = BUILD / "DependenciesLayer/python"
CORE_LAYER = BUILD / "CoreLayer/python"
ELF_MACHINE = {"arm64": 183, "x86_64": 62}
MACHINE_NAMES = {"arm64": {"arm64", "aarch64"}, "x86_64": {"x86_64"}}
SERVICES = ["dynamodb", "events", "kms", "s3"]
MEGABYTE = 2**20
UNCHECKED_HASH = 1


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not (BUILD / "template.yaml").is_file():
        pytest.fail(f"nothing is built in {BUILD}: run `make build`")


def test_native_code_matches_the_target_processor() -> None:
    machines = {path.name: struct.unpack_from("<H", path.read_bytes(), 18)[0] for path in PACKAGES.rglob("*.so")}
    assert any(name.startswith("_pydantic_core") for name in machines)
    assert set(machines.values()) == {ELF_MACHINE[BUILD.name]}, machines


@pytest.mark.parametrize("place", ["DependenciesLayer", "CoreLayer", *(f.logical_id for f in functions())])
def test_modules_have_unchecked_bytecode(place: str) -> None:
    sources = sorted((BUILD / place).rglob("*.py"))
    assert sources
    assert [str(path.relative_to(BUILD)) for path in sources if not has_unchecked_bytecode(path)] == []


@pytest.mark.parametrize("place", ["DependenciesLayer", "CoreLayer", *(f.logical_id for f in functions())])
def test_bytecode_belongs_to_existing_modules(place: str) -> None:
    expected = {compiled(path) for path in (BUILD / place).rglob("*.py")}
    assert {path for path in (BUILD / place).rglob("*.pyc") if path not in expected} == set()


def test_bytecode_paths_are_those_of_lambda() -> None:
    assert code(CORE_LAYER / "instant/settings.py").co_filename == "/opt/python/instant/settings.py"
    assert code(BUILD / "ExecuteFunction/functions/execute/app.py").co_filename == "/var/task/functions/execute/app.py"


def test_dependency_layer_has_exactly_the_pinned_packages() -> None:
    pins = re.findall(
        r"^([a-z0-9-]+)==(\S+)", (ROOT / "layers/dependencies/requirements.txt").read_text(), re.MULTILINE
    )
    found = {path.name.removesuffix(".dist-info") for path in PACKAGES.glob("*.dist-info")}
    assert {name.replace("_", "-").lower() for name in found} == {f"{name}-{version}" for name, version in pins}


def test_trimmed_botocore_creates_clients() -> None:
    assert sorted(path.name for path in (PACKAGES / "botocore/data").iterdir() if path.is_dir()) == SERVICES
    program = (
        "import json, sys, botocore.session as b;"
        "s = b.get_session();"
        "print(json.dumps([s.create_client(n, 'us-east-1').meta.endpoint_url for n in json.loads(sys.argv[1])]))"
    )
    done = bare_python("-c", program, json.dumps(SERVICES))
    assert all(".amazonaws.com" in url for url in json.loads(done)), done


def test_core_layer_has_the_whole_package() -> None:
    assert files_of(CORE_LAYER / "instant") == files_of(CORE)


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.name)
def test_function_artifact_has_only_its_file(function: Function) -> None:
    assert files_of(BUILD / function.logical_id) == {f"functions/{function.name}/app.py"}


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.name)
def test_function_starts_from_the_artifacts_alone(function: Function) -> None:
    if platform.machine() not in MACHINE_NAMES[BUILD.name]:
        pytest.skip(f"this machine cannot run {BUILD.name}")
    loaded = load_from(function, [base_python(), "-B"], BUILD / function.logical_id, PACKAGES, CORE_LAYER)
    assert loaded.routes == function.routes


def test_dependency_layer_stays_within_its_size_limit() -> None:
    size = sum(path.stat().st_size for path in PACKAGES.rglob("*") if path.is_file())
    assert size < 80 * MEGABYTE, f"{size / MEGABYTE:.0f} MB unzipped; Lambda's limit for everything is 250"


def files_of(folder: Path) -> set[str]:
    """The relative paths of the files in a folder, without bytecode."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(folder)) for path in found}


def compiled(source: Path) -> Path:
    """The path of the bytecode of a module in CPython 3.13."""
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def has_unchecked_bytecode(source: Path) -> bool:
    """Whether the module has unchecked hash-based bytecode, with the hash of its source."""
    if not compiled(source).is_file():
        return False
    content = compiled(source).read_bytes()
    header = importlib.util.MAGIC_NUMBER + struct.pack("<I", UNCHECKED_HASH)
    return content[:16] == header + importlib.util.source_hash(source.read_bytes())


def code(source: Path) -> CodeType:
    """The code object of a module."""
    loaded: CodeType = marshal.loads(compiled(source).read_bytes()[16:])
    return loaded


def base_python() -> str:
    """The base interpreter, without the packages of the virtual environment."""
    return str(getattr(sys, "_base_executable", sys.executable))


def bare_python(*arguments: str) -> str:
    """Run the base interpreter with only the packages of the layer; return its output."""
    env = {"PYTHONPATH": str(PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([base_python(), "-P", *arguments], env=env, capture_output=True, text=True, check=True)
    return done.stdout
