"""The two halves of the tests: every file is in one of them."""

from pathlib import Path

import pytest
from halves import HALVES, LONGEST, half_of

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
FILES = sorted(path.name for path in HERE.glob("test_*.py"))


def collected(half: str | None, config: pytest.Config) -> list[str]:
    """The files that this run would read if it were started with a half."""
    hook = config.pluginmanager.get_plugin(str(HERE / "conftest.py"))
    assert hook is not None
    before, config.option.half = config.option.half, half
    try:
        return [name for name in FILES if hook.pytest_ignore_collect(HERE / name, config) is not True]
    finally:
        config.option.half = before


def test_both_halves_are_all_files_and_share_none(pytestconfig: pytest.Config) -> None:
    first, second = (collected(half, pytestconfig) for half in HALVES)
    assert sorted(first + second) == FILES == collected(None, pytestconfig)
    assert min(len(first), len(second)) > len(FILES) / 3


def test_the_longest_are_there_and_dealt_in_turn() -> None:
    assert set(LONGEST) <= set(FILES)
    # `npm test` looks for the table of faults after the first half.
    assert half_of("test_faults.py") == "first"
