"""The directions of imports in `etl`, which the README names."""

import ast
from pathlib import Path

import pytest
from conftest import ROOT

# Per folder of `etl`, the folders that its modules may import besides their own; "" is `etl` itself.
ALLOWED = {
    "": set[str](),
    "write": {""},
    "run": {"", "write"},
    "ingest": {"", "write", "run"},
    "model": {"", "write", "run"},
    "extract": {"", "write", "run"},
    "marts": {"", "write", "run"},
}
# The one module that may import a package; "" for none. Rows never leave the JVM, and jobs also run without
# Glue.
ONLY_IN = {"boto3": "clients.py", "awsglue": "", "pandas": "", "numpy": ""}


def broken_imports(package: Path) -> list[str]:
    """Each import that is not allowed, as `file imports module`."""
    found = []
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package).as_posix()
        folder = name.split("/")[0] if "/" in name else ""
        for module in _imported(ast.parse(file.read_text())):
            top, *inside = module.split(".")
            target = inside[0] if inside and (package / inside[0]).is_dir() else ""
            is_wrong = name != ONLY_IN[top] if top in ONLY_IN else False
            if top == "etl" and target not in ALLOWED[folder] | {folder}:
                is_wrong = True
            if is_wrong:
                found.append(f"{name} imports {module}")
    return found


def _imported(tree: ast.AST) -> list[str]:
    modules = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return modules


def test_each_folder_imports_only_what_it_may() -> None:
    assert broken_imports(ROOT / "etl") == []


@pytest.mark.parametrize(
    ("file", "line", "module"),
    [
        ("errors.py", "from etl.run.lock import take_lock", "etl.run.lock.take_lock"),
        ("io.py", "from etl.write import partitions", "etl.write.partitions"),
        ("write/partitions.py", "import etl.run.books", "etl.run.books"),
        ("write/published.py", "from etl.ingest.contract import Contract", "etl.ingest.contract.Contract"),
        ("run/refusal.py", "from etl import ingest", "etl.ingest"),
        ("ingest/publish.py", "from etl.model.recompute import recompute", "etl.model.recompute.recompute"),
        ("extract/reading.py", "from etl.ingest.plan import Plan", "etl.ingest.plan.Plan"),
        ("model/recompute.py", "from etl.ingest.plan import Plan", "etl.ingest.plan.Plan"),
        ("run/lock.py", "import boto3", "boto3"),
        ("ingest/deliveries.py", "def f():\n    import boto3", "boto3"),
        (
            "ingest/transforms/parse_csv.py",
            "from awsglue.context import GlueContext",
            "awsglue.context.GlueContext",
        ),
        ("clients.py", "import awsglue", "awsglue"),
        ("run/books.py", "import pandas as pd", "pandas"),
    ],
)
def test_a_broken_direction_is_noticed(tmp_path: Path, file: str, line: str, module: str) -> None:
    for folder in ("write", "run", "model", "extract", "ingest/transforms"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / file).write_text(f"{line}\n")
    assert broken_imports(tmp_path) == [f"{file} imports {module}"]


def test_jobs_reach_aws_through_the_package_alone() -> None:
    imported = [
        name for job in (ROOT / "jobs").glob("*.py") for name in _imported(ast.parse(job.read_text()))
    ]
    assert "etl.run.arguments.read_arguments" in imported
    assert not {name.split(".")[0] for name in imported} & {"boto3", "pandas", "numpy"}


def test_what_is_allowed_is_not_reported(tmp_path: Path) -> None:
    for folder in ALLOWED:
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "clients.py").write_text("import boto3\nfrom etl.errors import StorageError\n")
    (tmp_path / "run" / "lock.py").write_text(
        "from etl import io\nfrom etl.write.partitions import PARTITION\n"
    )
    (tmp_path / "ingest" / "plan.py").write_text("from etl.run.books import to_json\nimport re\n")
    assert broken_imports(tmp_path) == []
