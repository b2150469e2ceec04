"""What is installed is known: the lock pins each version, and what the package asks for has a bound that it keeps."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

import taskmanager

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
#: Built where its C library is; tests that need it say so and are skipped elsewhere.
NOT_LOCKED = {"mysqlclient"}


def locked() -> dict[NormalizedName, Version]:
    found = {}
    for line in LOCK:
        pinned = re.fullmatch(r"([A-Za-z0-9][\w.-]*)==([\w.+!]+)", line)
        assert pinned, f"{line!r} is not one name and one version"
        found[canonicalize_name(pinned[1])] = Version(pinned[2])
    return found


def asked() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(text) for text in [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]]


def test_every_version_of_the_lock_is_pinned_once() -> None:
    assert len(locked()) == len(LOCK) > 50


def test_everything_that_is_asked_for_has_a_lower_bound_which_the_lock_keeps() -> None:
    pinned = locked()
    others = [one for one in asked() if canonicalize_name(one.name) != PROJECT["name"]]
    assert len(others) > 40
    for one in others:
        assert any(bound.operator in (">=", "==", "~=") for bound in one.specifier), f"{one} has no lower bound"
        name = canonicalize_name(one.name)
        assert name in pinned or name in NOT_LOCKED, f"{one} is not in requirements.lock"
        assert name in NOT_LOCKED or pinned[name] in one.specifier, f"the lock has {pinned[name]} for {one}"


def test_an_extra_that_users_install_has_an_upper_bound_too() -> None:
    for extra, wanted in PROJECT["optional-dependencies"].items():
        for one in map(Requirement, wanted):
            assert extra == "dev" or any(bound.operator == "<" for bound in one.specifier), f"{extra}: {one}"


def test_servers_tell_the_version_that_is_packaged() -> None:
    assert taskmanager.__version__ == PROJECT["version"]
