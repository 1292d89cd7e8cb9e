"""Packages whose parts are loaded when they are first asked for."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazily(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """Returns a ``__getattr__`` for a package, so that importing it costs little.

    Args:
        package: The package's ``__name__``.
        where: By name of what the package gives: the module of the package that has it.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - what Python calls it
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{where[name]}"), name)

    return __getattr__
