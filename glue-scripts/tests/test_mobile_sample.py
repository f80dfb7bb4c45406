"""The sample of mobile-users is what its generator makes."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PIPELINES

pytestmark = pytest.mark.once

FOLDER = PIPELINES / "mobile-users"


def generate(into: Path, *arguments: str) -> dict[str, bytes]:
    subprocess.run(
        [sys.executable, FOLDER / "generate_sample.py", "--into", into, *arguments],
        check=True,
        capture_output=True,
    )
    return read(into)


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("segment-logs/*/*/*")}


def contents(files: dict[str, bytes]) -> dict[str, bytes]:
    """The packed bytes differ between builds of zlib, their contents do not."""
    return {name: gzip.decompress(packed) for name, packed in files.items()}


def test_the_sample_is_what_the_generator_makes(tmp_path: Path) -> None:
    committed = read(FOLDER / "sample")
    assert len(committed) == 36
    assert contents(generate(tmp_path)) == contents(committed)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    arguments = ("--first-day", "2026-03-07", "--days", "2", "--seed", "5")
    first = generate(tmp_path / "first", *arguments)
    assert generate(tmp_path / "second", *arguments) == first
    assert generate(tmp_path / "other", *arguments[:-1], "6") != first
    # The header of gzip has room for a time (bytes 4 to 7): https://www.rfc-editor.org/rfc/rfc1952
    assert {packed[4:8] for packed in first.values() if packed} == {bytes(4)}


def test_a_day_does_not_depend_on_the_number_of_days(tmp_path: Path) -> None:
    three = read(FOLDER / "sample")
    first_day = {name: packed for name, packed in three.items() if "/1763596800000/" in name}
    assert contents(generate(tmp_path, "--days", "1")) == contents(first_day)


def test_a_scale_multiplies_calls_and_leaves_nothing_of_an_earlier_sample(tmp_path: Path) -> None:
    generate(tmp_path, "--first-day", "2024-02-28")
    scaled = contents(generate(tmp_path, "--scale", "3"))
    lines = sum(content.count(b"\n") for content in scaled.values())
    once = sum(content.count(b"\n") for content in contents(read(FOLDER / "sample")).values())
    assert set(scaled) != set() and not any("/17090" in name for name in scaled)
    assert 2.9 < lines / once < 3.1
