"""The script as Glue runs it: one file, its modules in a zip, a clear last line when it fails."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import CONTRACT, LENIENT, ROOT
from plans import put_plan


def ship(folder: Path) -> tuple[Path, Path]:
    modules = folder / "etl.zip"
    with zipfile.ZipFile(modules, "w") as archive:
        for path in sorted((ROOT / "etl").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT))
    script = folder / "script.py"
    script.write_text((ROOT / "jobs" / "transform_deliveries.py").read_text())
    return script, modules


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script, modules = ship(folder)
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_modules_work_from_a_zip_and_a_failure_ends_with_its_reason(tmp_path: Path) -> None:
    given = {
        "JOB_NAME": "etl-dev-events-transform",
        "pipeline": "events",
        "source_bucket": str(tmp_path / "raw"),
        "source_prefix": "events/",
        "source_subprefix": ".",
        "output_bucket": str(tmp_path / "processed"),
        "output_prefix": "events/",
        "quarantine_bucket": str(tmp_path / "quarantine"),
        "quarantine_prefix": "events/",
        "books_bucket": str(tmp_path / "processed"),
        "books_prefix": "books/events/",
        "plan_uri": put_plan(tmp_path, CONTRACT, LENIENT),
        "mode": "daily",
        "from_date": "2010-12-04",
        "to_date": "2010-12-04",
        "run_id": "run-1",
    }
    done = run(tmp_path, *(part for name, value in given.items() for part in (f"--{name}", value)))
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last == f"MissingDelivery: no delivery under {tmp_path}/raw/events/ for 2010-12-04"


def test_wrong_arguments_end_with_all_of_them(tmp_path: Path) -> None:
    done = run(tmp_path, "--from_date", "today")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("InvalidArguments: --pipeline is missing; --source_bucket is missing; ")
    assert last.endswith(
        "; --from_date must be a date as YYYY-MM-DD, got 'today'; --run_id is missing; --to_date is missing"
    )
