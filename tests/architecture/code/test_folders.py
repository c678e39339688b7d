"""A folder has at most 15 files, in the product and in the tests."""

from pathlib import Path

from tests.architecture.project import CORE, FUNCTIONS, ROOT, relative

FILES = 15
TREES = (CORE, FUNCTIONS, ROOT / "tests")


def test_folder_has_at_most_15_files() -> None:
    folders = [folder for tree in TREES for folder in (tree, *tree.rglob("*")) if folder.is_dir()]
    sizes = {relative(folder): len(files_of(folder)) for folder in folders}
    assert {name: count for name, count in sizes.items() if count > FILES} == {}


def files_of(folder: Path) -> list[Path]:
    """The files directly in a folder, without compiled files."""
    return [path for path in folder.iterdir() if path.is_file() and path.suffix != ".pyc"]
