"""The library svcs without the web frameworks: it takes in each that is installed, 8 MB a worker has no use for."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_INTEGRATIONS = ("svcs.aiohttp", "svcs.fastapi", "svcs.flask", "svcs.starlette")


def load() -> ModuleType:
    """Import svcs. Who wants one of its integrations imports that by its own name, as usual."""
    hidden = [name for name in _INTEGRATIONS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None refuses an import
    try:
        return importlib.import_module("svcs")
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
