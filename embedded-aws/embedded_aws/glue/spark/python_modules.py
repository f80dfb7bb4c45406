"""Installs the packages of `--additional-python-modules` with pip, as Glue does at the start of a run.

The same packages are installed once, into a folder that is named by their hash. pip asks the registry that is
configured on this computer. A wheel that needs no other package works without a network.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
"""

import hashlib
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

_SECONDS = 600
_PIP = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1")


class PythonModulesError(RuntimeError):
    """pip could not install the packages; the message says which and why."""


def install(python: Path, modules: Sequence[str | Path], options: str, folder: Path) -> Path:
    """The folder with the packages, below ``folder``, for ``python``'s path.

    A module is a requirement, or the file of a wheel. Raises PythonModulesError.
    """
    target = folder / _hash(python, modules, options)
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="pip-", dir=folder))
    try:
        _run_pip(python, [*shlex.split(options), "--target", str(made), *map(str, modules)], modules)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # else another run installed the same meanwhile
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _run_pip(python: Path, words: list[str], modules: Sequence[str | Path]) -> None:
    names = ", ".join(module.name if isinstance(module, Path) else module for module in modules)
    try:
        done = subprocess.run([python, *_PIP, *words], capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise PythonModulesError(f"pip did not install {names} within {_SECONDS} seconds") from None
    if done.returncode == 0:
        return
    errors = re.findall(r"^ERROR: (.+)$", done.stderr, re.MULTILINE)
    why = errors[-1].rstrip(".") if errors else f"it ended with exit code {done.returncode}"
    raise PythonModulesError(
        f"pip could not install {names}: {why}. A package of a registry needs a network to it; "
        "a wheel in S3 needs none, if all packages that it depends on are listed as wheels too"
    )


def _hash(python: Path, modules: Sequence[str | Path], options: str) -> str:
    digest = hashlib.sha256(f"{python.absolute()}\0{options}".encode())
    for module in modules:
        content = module.read_bytes() if isinstance(module, Path) else b""
        name = module.name if isinstance(module, Path) else module
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
