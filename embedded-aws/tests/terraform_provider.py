"""The source of Terraform's provider: the user's settings, else the registry, else an unpacked mirror."""

import json
import os
import socket
from pathlib import Path

_REGISTRY = "registry.terraform.io"
_SHARED_SOFTWARE = ("/opt", "/usr/local", "/usr/share", "/srv", "/var/lib")


def environment(folder: Path) -> dict[str, str]:
    """This process's variables with a usable source. A settings file may be written into ``folder``."""
    variables = dict(os.environ)
    named = variables.get("TF_CLI_CONFIG_FILE")
    if named is not None and Path(named).exists():
        return variables
    variables.pop("TF_CLI_CONFIG_FILE", None)
    mirror = None if _is_reachable() else _find_mirror()
    if mirror is not None:
        file = folder / "terraform.tfrc"
        kept = f'include = ["{_REGISTRY}/*/*"]'
        file.write_text(
            "provider_installation {\n"
            f"  filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n    {kept}\n  }}\n"
            "}\ndisable_checkpoint = true\n",
            encoding="utf-8",
        )
        variables["TF_CLI_CONFIG_FILE"] = str(file)
    return variables


def _is_reachable() -> bool:
    try:
        socket.getaddrinfo(_REGISTRY, 443)
    except OSError:
        return False
    return True


def _find_mirror() -> Path | None:
    """A folder for shared software, or one just below it, that has the registry's providers."""
    tops = [Path(top) for top in _SHARED_SOFTWARE if Path(top).is_dir()]
    candidates = [folder for top in tops for folder in (top, *sorted(top.iterdir()))]
    return next((folder for folder in candidates if (folder / _REGISTRY).is_dir()), None)
