"""Every replaced function of MiniStack exists, has the expected parameters, and is listed in the README."""

import importlib
import inspect
import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from conftest import PACKAGE

from embedded_aws.core import emulator

LISTING = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.server import behaviours
paths = [Path(sys.argv[2])] * 5
more = {"trace": paths[0] / "trace.jsonl", "deaths": paths[0] / "deaths.jsonl"}
place = ("https://127.0.0.1:1", "000000000000", "us-east-1")
behaviours.install(Settings(*place, *paths, "", "k", "s", 60.0, **more))
for entry in emulator.REPLACEMENTS:
    print(entry.module, entry.function, ",".join(entry.parameters))
"""


@pytest.fixture(scope="module")
def replaced(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, tuple[str, ...]]]:
    """All replacements, listed in another process, because this one must keep the originals."""
    folder = str(tmp_path_factory.mktemp("nowhere"))
    command = [sys.executable, "-c", LISTING, str(PACKAGE), folder]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "AUTH": "true"}
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" ") for line in done.stdout.splitlines()]
    return [(module, function, tuple(filter(None, names.split(",")))) for module, function, names in rows]


def test_the_installed_version_is_the_expected_one() -> None:
    assert version("ministack") == emulator.MINISTACK_VERSION


def test_every_replaced_function_has_the_parameters_of_its_replacement(
    replaced: list[tuple[str, str, tuple[str, ...]]],
) -> None:
    assert len(replaced) > 30
    for module, function, parameters in replaced:
        original = getattr(importlib.import_module(f"ministack.{module}"), function)
        assert tuple(inspect.signature(original).parameters) == parameters, f"{module}.{function}"


def test_the_readme_lists_exactly_what_is_replaced(replaced: list[tuple[str, str, tuple[str, ...]]]) -> None:
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Replaced functions of MiniStack\n")[2].partition("\n## ")[0]
    listed = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
    assert listed == {f"{module}.{function}" for module, function, _ in replaced}


def test_a_missing_or_changed_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        emulator.EmulatorMovedError, match=r"services\.glue\._gone is gone; crawls relied on it"
    ):
        emulator.replace("services.glue", "_gone", ("data",), lambda original: original, "crawls")
    with pytest.raises(emulator.EmulatorMovedError, match=r"takes \('data',\), not \('name',\)"):
        emulator.replace("services.glue", "_start_crawler", ("name",), lambda original: original, "crawls")
