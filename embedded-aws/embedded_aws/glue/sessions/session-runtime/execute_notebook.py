"""Runs all cells of a notebook in order, as a person would, and names the first cell that fails.

Cells have the numbers that JupyterLab shows: of the cells that run, from 1. The file is not changed. The exit
code is 1 when a cell fails.
"""

import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from traitlets.config import Config

_START_SECONDS = 300


class Cells:
    """Counts the cells, and shows the output of each when it ends."""

    def __init__(self) -> None:
        self.number = 0
        self._started = 0.0

    def begin(self, **_: Any) -> None:
        self.number += 1
        self._started = time.monotonic()

    def end(self, cell: Any, **_: Any) -> None:
        print(f"cell {self.number}: {time.monotonic() - self._started:.1f} s")
        print("".join(map(_text, cell.outputs)), end="", flush=True)


def _connection() -> Any:
    """To the kernel by files, not by ports, which other users of the computer could reach."""
    folder = Path(jupyter_runtime_dir())
    folder.mkdir(parents=True, exist_ok=True)
    return Config(KernelManager={"transport": "ipc", "connection_file": str(folder / "kernel.json")})


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    text = output.get("data", {}).get("text/plain", "")
    return f"{text}\n" if text else ""


def main() -> int:
    file = Path(sys.argv[1])
    cells = Cells()
    client = NotebookClient(
        nbformat.read(file, as_version=4),
        config=_connection(),
        kernel_name="python3",
        timeout=None,
        startup_timeout=_START_SECONDS,
        resources={"metadata": {"path": str(file.parent)}},
        on_cell_execute=cells.begin,
        on_cell_executed=cells.end,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"{file.name}: cell {cells.number} failed: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    except DeadKernelError:
        print(f"{file.name}: cell {cells.number} failed: its Python ended", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
