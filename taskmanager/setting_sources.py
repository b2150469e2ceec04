"""Where settings come from: pyproject.toml, taskmanager.toml, the environment, arguments; the later ones win."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from taskmanager.domain.errors import ConfigurationError

#: What names the origin of a setting, and the raw values by the settings' names.
Source = tuple[Callable[[str], str], Mapping[str, Any]]

#: What Kubernetes puts into every container of a namespace that has a Service named taskmanager or taskmanager-web.
_KUBERNETES = re.compile(
    r"(?:\w+_)?(?:SERVICE_(?:HOST|PORT)\w*=|PORT_\d+_(?:TCP|UDP|SCTP)\w*=|PORT=(?:tcp|udp|sctp)://).*", re.DOTALL
)


def found(directory: Path, environ: Mapping[str, str], arguments: Mapping[str, Any]) -> Iterator[Source]:
    """Each source with what it says, the weakest first; nothing is checked yet.

    Raises ConfigurationError for a file that cannot be read as settings.
    """
    project, own = directory / "pyproject.toml", Path(environ.get("TASKMANAGER_CONFIG", directory / "taskmanager.toml"))
    if project.is_file():
        tool = _toml(project).get("tool")
        table = tool.get("taskmanager", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise ConfigurationError(f"{project.name}: tool.taskmanager must be a table, headed [tool.taskmanager]")
        yield lambda name: f"{project.name} [tool.taskmanager]", table
    if own.is_file():
        table = _toml(own)
        if isinstance(table.get("tool", table.get("taskmanager")), dict):
            raise ConfigurationError(f"{own.name}: settings stand at the top, without a heading such as [taskmanager]")
        yield lambda name: own.name, table
    elif "TASKMANAGER_CONFIG" in environ:
        raise ConfigurationError(f"TASKMANAGER_CONFIG names {own}, which is not a file")
    yield lambda name: f"environment TASKMANAGER_{name.upper()}", _environment(environ)
    yield lambda name: f"argument {name}", {n: v for n, v in arguments.items() if v is not None}


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for variable, value in environ.items():
        name = variable.removeprefix("TASKMANAGER_")
        ours = name != variable and name != "CONFIG" and not name.startswith("TEST_")
        if ours and not _KUBERNETES.fullmatch(f"{name}={value}"):
            found[name.lower()] = value
    return found


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path.name} is not valid TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not UTF-8 text: save it as UTF-8 ({error})") from None
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from None
