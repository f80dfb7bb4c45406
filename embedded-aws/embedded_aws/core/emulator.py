"""The only access to MiniStack. It fails at the start when a new version moved what is replaced here.

MiniStack has no types and its functions are private, so every other file gets it as ``Any`` from here.
Every replacement goes through :func:`replace`, which raises when the function is gone or takes other
parameters. The environment must be complete (see server/process.py) before the first call: MiniStack reads it
while it is imported.
"""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MINISTACK_VERSION = "1.5.33"


class EmulatorMovedError(RuntimeError):
    """The installed MiniStack no longer has a function that an extension replaces, or has changed what it
    takes.
    """


@dataclass(frozen=True)
class Replacement:
    """One private function of MiniStack that an extension replaces or wraps."""

    module: str
    function: str
    parameters: tuple[str, ...]
    behaviour: str


REPLACEMENTS: list[Replacement] = []


def module(name: str) -> Any:
    """A MiniStack module by its path below the package, for example ``services.glue``."""
    return importlib.import_module(f"ministack.{name}")


def service(name: str) -> Any:
    """A service's module, registered with the application so that its state is saved and loaded."""
    return module("app")._get_module(name)


def replace(
    module_name: str,
    function: str,
    parameters: tuple[str, ...],
    make: Callable[[Any], Callable[..., Any]],
    behaviour: str,
) -> None:
    """Put ``make(original)`` in the place of a module's function.

    Raises EmulatorMovedError when the function is missing or its parameter names differ from ``parameters``.
    """
    owner = module(module_name)
    original = getattr(owner, function, None)
    if not callable(original):
        raise EmulatorMovedError(f"ministack.{module_name}.{function} is gone; {behaviour} relied on it")
    found = tuple(inspect.signature(original).parameters)
    if found != parameters:
        raise EmulatorMovedError(
            f"ministack.{module_name}.{function} takes {found}, not {parameters}; {behaviour} relied on it"
        )
    setattr(owner, function, make(original))
    REPLACEMENTS.append(Replacement(module_name, function, parameters, behaviour))
