"""Each folder of the package imports only what README.md allows, and nothing of the project around it."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest
from conftest import PACKAGE

NAME = "embedded_aws"
SCRIPTS = {"job-runtime", "function-runtime", "session-runtime"}
"""The folders of the processes of jobs, functions and sessions. They do not belong to the package."""
DISTRIBUTIONS = {"botocore": "boto3", "hypercorn": "ministack"}
"""Libraries that are installed with another one."""
DOOR = "ministack"
"""No file imports it directly; core/emulator.py does so by name."""


def allowed() -> dict[str, set[str]]:
    """The table in README.md: each folder, and the folders that it may import."""
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Import directions\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {
        folder.strip(" `"): {name.strip(" `") for name in others.split(",")} - {"nothing"}
        for folder, others in rows
    }


def sources() -> Iterator[tuple[str, str]]:
    """Each file as its folder and its text."""
    for path in (PACKAGE / NAME).rglob("*.py"):
        if not SCRIPTS & set(path.parts) and path.name != "__init__.py":
            yield path.parent.relative_to(PACKAGE / NAME).as_posix(), path.read_text(encoding="utf-8")


def imported(source: str) -> Iterator[str]:
    """The full names of a file's imports. `from a import b` may mean a module or a name in one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def folder_of(module: str) -> str:
    """The folder of a module, or of a name in one: `embedded_aws.glue.jobs.runs.start` is in `glue/jobs`."""
    path = PACKAGE.joinpath(*module.split("."))
    while not path.is_dir():
        path = path.parent
    return path.relative_to(PACKAGE / NAME).as_posix()


def broken(source: str, folder: str, table: dict[str, set[str]]) -> list[str]:
    """The imports of a file in this folder that are not allowed."""
    pinned = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["dependencies"]
    known = {dependency.partition("==")[0] for dependency in pinned}
    found = []
    for module in imported(source):
        library = module.partition(".")[0]
        if library == NAME:
            if folder_of(module) not in {folder, *table[folder]}:
                found.append(module)
        elif library in sys.stdlib_module_names:
            continue
        elif library == DOOR or DISTRIBUTIONS.get(library, library) not in known:
            found.append(module)
    return found


def test_every_import_is_allowed() -> None:
    table = allowed()
    assert [(folder, wrong) for folder, source in sources() for wrong in broken(source, folder, table)] == []


def test_the_table_names_every_folder_and_only_what_is_imported() -> None:
    used: dict[str, set[str]] = {}
    for folder, source in sources():
        ours = {folder_of(module) for module in imported(source) if module.startswith(f"{NAME}.")}
        used.setdefault(folder, set()).update(ours - {folder})
    assert used == allowed()


def test_no_folder_imports_another_one_in_a_circle() -> None:
    TopologicalSorter(allowed()).prepare()


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("core", "from embedded_aws.iam import roles"),
        ("iam", "from embedded_aws.cloudwatch.alarms.rights import caller"),
        ("athena", "def late() -> None:\n    from embedded_aws.glue.jobs import runs"),
        ("glue/crawls", "import embedded_aws.glue.jobs.runs"),
        ("glue/jobs", "from etl.run import books"),
        ("server", "import glue_scripts"),
        ("states", "import requests"),
        ("events", "from ministack.services import sns"),
    ],
)
def test_a_broken_direction_is_noticed(folder: str, source: str) -> None:
    assert len(broken(source, folder, allowed())) == 1
