"""Unpacks a function's code and its layers, each only once, and collects the runtime's own libraries.

Layers are merged in their order: a later one replaces the files of an earlier one.
https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

import hashlib
import importlib.util
import io
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from embedded_aws.core import emulator

_RUNTIME_LIBRARIES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""The libraries that Lambda's Python has: AWS's SDK and its dependencies."""
_lock = threading.Lock()
_folders: dict[tuple[str, ...], Path] = {}


class CodeMissingError(Exception):
    """The function has no code, or a layer's content is gone."""


def unpacked(record: dict[str, Any], config: dict[str, Any]) -> tuple[Path, Path]:
    """The folders of the function's code and of its merged layers."""
    code = record.get("code_zip")
    if not code:
        raise CodeMissingError(f"The code of function {config['FunctionName']} does not exist")
    layers = []
    for attached in config.get("Layers") or []:
        content = emulator.service("lambda_svc")._resolve_layer_zip(attached)
        if content is None and attached.get("CodeSize"):
            raise CodeMissingError(f"The content of layer {attached['Arn']} does not exist")
        layers.append(content or b"")
    return _folder("code", [code]), _folder("layers", [layer for layer in layers if layer])


def runtime_libraries() -> Path:
    """The folder of the libraries that the runtime has besides Python's own."""
    with _lock:
        key = ("libraries",)
        if key not in _folders:
            folder = Path(tempfile.mkdtemp(prefix="lambda-libraries-"))
            for name in _RUNTIME_LIBRARIES:
                found = importlib.util.find_spec(name)
                if found is not None and found.origin is not None:
                    source = Path(found.origin)
                    source = source.parent if found.submodule_search_locations else source
                    (folder / source.name).symlink_to(source)
            _folders[key] = folder
        return _folders[key]


def _folder(kind: str, archives: list[bytes]) -> Path:
    key = (kind, *(hashlib.sha256(archive).hexdigest() for archive in archives))
    with _lock:
        if key not in _folders:
            folder = Path(tempfile.mkdtemp(prefix=f"lambda-{kind}-")).resolve()
            for archive in archives:
                _unpack(archive, folder)
            _folders[key] = folder
        return _folders[key]


def _unpack(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        for member in packed.infolist():
            written = Path(packed.extract(member, folder))
            mode = member.external_attr >> 16
            if mode and not member.is_dir():
                written.chmod(mode & 0o777 | 0o400)
