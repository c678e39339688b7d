"""Each function has one folder with one file."""

import ast

from tests.architecture.project import FUNCTIONS, Function, functions, relative

APP_LINES = 90
HANDLER_LINES = 17


def test_function_folders_match_the_template() -> None:
    folders = sorted(path.name for path in FUNCTIONS.iterdir() if path.is_dir() and path.name != "__pycache__")
    assert folders == sorted(function.name for function in functions())


def test_function_folder_has_only_app_py(function: Function) -> None:
    files = [path.name for path in function.app.parent.iterdir() if path.name != "__pycache__"]
    assert files == ["app.py"]


def test_function_handler_matches_its_folder(function: Function) -> None:
    assert function.properties["CodeUri"] == f"functions/{function.name}"
    assert function.properties["Handler"] == f"functions.{function.name}.app.handler"


def test_function_logical_id_matches_its_folder(function: Function) -> None:
    words = function.name.split("_")
    assert function.logical_id == "".join(word.capitalize() for word in words) + "Function"


def test_app_file_has_few_lines(function: Function) -> None:
    lines = len(function.app.read_text().splitlines())
    assert lines <= APP_LINES, f"{relative(function.app)} has {lines} lines: it should only wire and route"


def test_app_definitions_have_few_lines(function: Function) -> None:
    nodes = [node for node in ast.walk(ast.parse(function.app.read_text())) if isinstance(node, ast.FunctionDef)]
    long = {node.name: body_lines(node) for node in nodes if body_lines(node) > HANDLER_LINES}
    assert long == {}, "this belongs in a use case"


def test_library_loggers_do_not_log_below_warning(function: Function) -> None:
    calls = [node.func for node in ast.walk(ast.parse(function.app.read_text())) if isinstance(node, ast.Call)]
    named = {call.id for call in calls if isinstance(call, ast.Name)}
    assert named & {"api", "quiet_libraries"}, "at DEBUG, libraries log keys; api() also sets their level"


def body_lines(node: ast.FunctionDef) -> int:
    """The length of a function without its signature, which lists the parameters of a route."""
    return (node.end_lineno or node.lineno) - node.body[0].lineno + 1
