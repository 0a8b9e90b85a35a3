"""Reads a manifest: TOML in, frozen types out; or every fault at once. Starts no git and touches no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openllm_repos.errors import ManifestError, NameRefused
from openllm_repos.files import read_file
from openllm_repos.manifest.entries import (
    MAP_KEYS,
    REPO_KEYS,
    default_keys,
    protective,
    read_defaults,
    read_repos,
)
from openllm_repos.manifest.faults import Faults, Place, spell
from openllm_repos.manifest.fields import Table, type_of
from openllm_repos.manifest.limits import BYTES
from openllm_repos.manifest.model import DEFAULT_TAG, Hooks, Kind, LockPlace, Manifest, Offline, Project
from openllm_repos.manifest.rules import check_tags
from openllm_repos.manifest.submodules import check_submodules
from openllm_repos.names.place import VersionPlace
from openllm_repos.names.plain import quoted, require_plain
from openllm_repos.names.ref import TagTemplate
from openllm_repos.names.url import GITHUB_HOST, HostUrl

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = 1
_LONGEST_NAME: Final = 100
_TOML_LINE: Final = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")  # how tomllib ends what it says
_TOP_KEYS: Final = ("schema", "project", "hosts", "defaults", "repos", "hooks")
_PROJECT_KEYS: Final = ("name", "version", "tag", "never", "lock")
_HOST_KEYS: Final = ("hub",)
_HOOKS_KEYS: Final = ("offline",)
_TABLES: Final = ("map", "publish")
EXAMPLE: Final = """\
schema = 1

[project]
name = "openllm"

[repos.main]
github = "louischua/openllm"
role = "source"

[repos.space]
space = "lemms/openllm"

[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
"""


def read_manifest(path: Path) -> Manifest:
    """Read and check the manifest in a file.

    Raises:
        ManifestError: see :meth:`Manifest.load`.
    """
    try:
        content = read_file(path, BYTES)
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise ManifestError(f"the manifest {path} cannot be read: {error.strerror}.") from error
    if len(content) > BYTES:
        raise ManifestError(f"the manifest {path} is larger than {BYTES >> 20} MiB", hint="Is it the right file?")
    try:
        return parse_manifest(content, path.name)
    except ManifestError as error:
        error.path = path
        raise


def keys_of(manifest: Manifest) -> Iterator[str]:
    """Yield the places of a manifest that hold one value, whether they are written or have their default."""
    yield from (f"project.{key}" for key in _PROJECT_KEYS)
    yield from (f"hosts.{key}" for key in _HOST_KEYS)
    yield from (f"hooks.{key}" for key in _HOOKS_KEYS)
    for kind in Kind:
        yield from (spell(("defaults", kind.key, key)) for key in default_keys(kind) if key not in _TABLES)
    for repo in {repo.entry: repo for repo in manifest.repos}.values():
        yield from (spell(("repos", repo.entry, key)) for key in REPO_KEYS if key not in _TABLES)
        for number in range(len(repo.maps)):
            yield from (repo.at_key("map", number, key) for key in MAP_KEYS)


def missing(path: Path) -> ManifestError:
    """Return what is said where there is no manifest."""
    return ManifestError(
        f"there is no manifest {path}",
        hint=f"openllm-repos init  # writes one; --manifest names another\n\n{EXAMPLE}",
    )


def parse_manifest(text: str | bytes, origin: str) -> Manifest:
    """Check the text of a manifest.

    Raises:
        ManifestError: see :meth:`Manifest.parse`.
    """
    document = _read_toml(text, origin)
    faults = Faults(document)
    manifest = _read_document(faults, document, origin)
    if manifest is None or faults:
        listed = faults.listed()
        count = "1 fault" if len(listed) == 1 else f"{len(listed)} faults"
        counted = " Indexes count from 0: map[0] is the first." if any("[" in fault for fault in listed) else ""
        raise ManifestError(
            f"{origin} has {count}",
            faults=tuple(listed),
            hint=f"Mend what is listed.{counted}",
            line_of=partial(_line_of, text, list(listed.values())),
        )
    return manifest


def _line_of(text: str | bytes, places: Sequence[Place], number: int) -> int | None:
    from openllm_repos.manifest.lines import line_of

    return line_of(text if isinstance(text, str) else text.decode(), places[number])


def _read_toml(text: str | bytes, origin: str) -> dict[str, Any]:
    import tomllib

    hint = "Mend it there; text stands in quotes, and each table and key only once."
    try:
        return tomllib.loads((text if isinstance(text, str) else text.decode()).removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ManifestError(
            f"{origin} is not UTF-8 (at line {line})", hint="Save it as UTF-8.", line_of=lambda _: line
        ) from None
    except tomllib.TOMLDecodeError as error:
        place = _TOML_LINE.search(str(error))
        at = int(place[1]) if place else None
        raise ManifestError(f"{origin} is not TOML: {error}", hint=hint, line_of=lambda _: at) from None
    except (ValueError, RecursionError):
        raise ManifestError(
            f"{origin} is not TOML that can be read: a number too long or too much nesting", hint=hint
        ) from None


def _read_document(faults: Faults, document: dict[str, Any], origin: str) -> Manifest | None:
    schema = document.get("schema")
    if type(schema) is int and schema > SCHEMA:
        faults.add(("schema",), f"is newer than this openllm-repos, which reads schema {SCHEMA}; update openllm-repos")
        return None
    top = Table(faults, (), document, _TOP_KEYS)
    if top.required("schema", str(SCHEMA)) and (type(schema) is not int or schema != SCHEMA):
        what = "is not a version of the format" if type(schema) is int else f"is {type_of(schema)}"
        top.fault("schema", f"{what}; write schema = {SCHEMA}")
    project = _read_project(faults, document["project"]) if "project" in document else None
    if project is None:
        faults.add(("project",), 'is missing; write [project] with name = "…"')
    hub = _read_hosts(faults, document.get("hosts", {}))
    never = project.never if project else ()
    defaults = read_defaults(faults, document.get("defaults", {}), never)
    repos = read_repos(faults, document.get("repos", {}), defaults, never, hub)
    hooks = _read_hooks(faults, document.get("hooks", {}))
    if project is None:
        return None
    check_tags(faults, repos, project.tag)
    check_submodules(faults, repos, project)
    return Manifest(SCHEMA, project, repos, origin, hub, hooks)


def _read_hosts(faults: Faults, value: object) -> HostUrl | None:
    return Table(faults, ("hosts",), value, _HOST_KEYS).text("hub", _hub)


def _hub(text: str) -> HostUrl:
    host = HostUrl(text)
    if host == GITHUB_HOST:
        raise NameRefused(f'{quoted(text)} is not a Hub; name a GitHub repository with github = "owner/name"')
    return host


def _read_project(faults: Faults, value: object) -> Project:
    table = Table(faults, ("project",), value, _PROJECT_KEYS)
    table.required("name", '"…"')
    return Project(
        name=table.text("name", _project_name) or "",
        version=table.texts("version", VersionPlace, alone=True),
        tag=table.text("tag", TagTemplate) or DEFAULT_TAG,
        never=table.texts("never", protective),
        lock=table.choice("lock", LockPlace) or LockPlace.COMMIT,
    )


def _read_hooks(faults: Faults, value: object) -> Hooks:
    table = Table(faults, ("hooks",), value, _HOOKS_KEYS)
    return Hooks(offline=table.choice("offline", Offline) or Hooks().offline)


def _project_name(text: str) -> str:
    require_plain(text, "the name of a project")
    if len(text) > _LONGEST_NAME:
        raise NameRefused(f"{quoted(text)} is too long; the name of a project has at most {_LONGEST_NAME} characters")
    return text
