"""Reads a manifest: TOML in, frozen types out; or every fault at once. Starts no git and touches no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openllm_repos.errors import ManifestError, NameRefused
from openllm_repos.files import read_file
from openllm_repos.manifest.faults import Faults, Place
from openllm_repos.manifest.fields import Table, type_of
from openllm_repos.manifest.limits import BYTES, ENTRIES, REPOS
from openllm_repos.manifest.maps import Map, Publication
from openllm_repos.manifest.model import (
    DEFAULT_BRANCH,
    DEFAULT_TAG,
    At,
    DriftPolicy,
    History,
    Hooks,
    Kind,
    LockPlace,
    Manifest,
    Offline,
    Project,
    Repo,
    Role,
)
from openllm_repos.manifest.rules import (
    Numbered,
    check_maps,
    check_places,
    check_publish,
    check_release,
    check_sources,
    check_tags,
)
from openllm_repos.manifest.submodules import check_submodules, submodule_path
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.place import VersionPlace
from openllm_repos.names.plain import quoted, require_plain
from openllm_repos.names.ref import BranchName, RepoName, TagTemplate
from openllm_repos.names.url import GITHUB_HOST, HostUrl, RepoId, RepoUrl

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = 1
_LONGEST_NAME: Final = 100
_TOML_LINE: Final = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")  # how tomllib ends what it says
_TOP_KEYS: Final = ("schema", "project", "hosts", "repos", "hooks")
_PROJECT_KEYS: Final = ("name", "version", "tag", "never", "lock")
_HOST_KEYS: Final = ("hub",)
_MAP_KEYS: Final = ("from", "to")
_PUBLISH_KEYS: Final = ("from", "to", "allow")
_HOOKS_KEYS: Final = ("offline",)
_KIND_OF_KEY: Final = {
    "github": Kind.GITHUB,
    "space": Kind.SPACE,
    "model": Kind.MODEL,
    "dataset": Kind.DATASET,
    "url": Kind.GIT,
}
_URL_ON_HUB: Final[dict[Kind, Callable[[RepoId, HostUrl | None], RepoUrl]]] = {
    Kind.SPACE: RepoId.space_url,
    Kind.MODEL: RepoId.model_url,
    Kind.DATASET: RepoId.dataset_url,
}
_RELEASE_KEYS: Final = ("release", "tag", "at", "version")
_TARGET_KEYS: Final = ("history", "drift", "owned", "map")
_REPO_KEYS: Final = (*_KIND_OF_KEY, "role", "branch", *_RELEASE_KEYS, *_TARGET_KEYS, "publish", "submodule")
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
    for repo in manifest.repos:
        yield from (f"repos.{repo.name}.{key}" for key in _REPO_KEYS if key not in {"map", "publish"})
        for number in range(len(repo.maps)):
            yield from (f"repos.{repo.name}.map[{number}].{key}" for key in _MAP_KEYS)


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
    repos = _read_repos(faults, document.get("repos", {}), project.never if project else (), hub)
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
        never=table.texts("never", _protective),
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


_protective = partial(Pattern.parse, protective=True)


def _read_repos(faults: Faults, value: object, never: tuple[Pattern, ...], hub: HostUrl | None) -> tuple[Repo, ...]:
    if not isinstance(value, dict):
        faults.add(("repos",), f"is {type_of(value)}; write a table [repos.NAME] for each repo")
        return ()
    if len(value) > REPOS:
        faults.add(("repos",), f"has {len(value):,} repos; {REPOS:,} are the most")
        return ()
    repos: list[Repo] = []
    roles: dict[str, Role | None] = {}
    for key, entry in value.items():
        roles[key], repo = _read_repo(faults, key, entry, never, hub)
        if repo is not None:
            repos.append(repo)
    check_sources(faults, roles)
    check_places(faults, repos)
    return tuple(repos)


def _read_repo(
    faults: Faults, key: str, value: object, never: tuple[Pattern, ...], hub: HostUrl | None
) -> tuple[Role | None, Repo | None]:
    """Read one repo; its role is None, and so is the repo, where it cannot be told."""
    table = Table(faults, ("repos", key), value, _REPO_KEYS)
    if not table.is_table:
        return None, None
    name: RepoName | None = None
    try:
        name = RepoName(key)
    except NameRefused as refused:
        faults.add(table.place, refused.message)
    kind, repo_id, url = _read_kind(table, hub)
    owned = table.texts("owned", _protective)
    maps = _read_maps(table)
    published = _read_publish(table)
    role = _read_role(table)
    check_maps(faults, (*table.place, "map"), maps, owned, never)
    check_publish(faults, (*table.place, "publish"), tuple((at, entry.place) for at, entry in published), maps)
    if "publish" in table.keys and (role is Role.SOURCE or kind in {Kind.GITHUB, Kind.GIT}):
        what = "the source" if role is Role.SOURCE else "a repo that is not on the Hub"
        table.fault("publish", f"is in {what}; artifacts are published to a model, a dataset or a Space")
    branch = table.text("branch", BranchName) or DEFAULT_BRANCH
    release = table.flag("release", default=True)
    tag = table.text("tag", TagTemplate)
    at = table.choice("at", At) or At.TIP
    version = table.texts("version", VersionPlace, alone=True)
    check_release(faults, table.place, role, table.keys)
    submodule = table.text("submodule", submodule_path)
    history = table.choice("history", History) or History.FULL
    drift = table.choice("drift", DriftPolicy) or DriftPolicy.MERGE
    if name is None or role is None or url is None:
        return role, None
    plain_maps = tuple(entry for _, entry in maps)
    plain = tuple(entry for _, entry in published)
    kept = (owned, plain_maps, tag, at, version, plain)
    made = Repo(name, kind, url, repo_id, role, branch, release, history, drift, *kept)
    return role, replace(made, submodule=submodule)


def _read_kind(table: Table, hub: HostUrl | None) -> tuple[Kind, RepoId | None, RepoUrl | None]:
    given = [key for key in table.keys if key in _KIND_OF_KEY]
    if not given:
        known = ", ".join(_KIND_OF_KEY)
        table.faults.add(table.place, f'names no repository; write one of {known}, such as github = "owner/name"')
    for key in given[1:]:
        table.fault(key, f"names a second repository beside {quoted(given[0])}; keep one of the two")
    kind, repo_id, url = Kind.GIT, None, None
    # The first is the one that counts; the others are read for their own faults.
    for key in given[::-1]:
        kind = _KIND_OF_KEY[key]
        if kind is Kind.GIT:
            repo_id, url = None, table.text(key, RepoUrl)
        else:
            repo_id = table.text(key, RepoId)
            url = _url(kind, repo_id, hub) if repo_id else None
    return kind, repo_id, url


def _url(kind: Kind, repo_id: RepoId, hub: HostUrl | None) -> RepoUrl:
    return repo_id.github_url() if kind is Kind.GITHUB else _URL_ON_HUB[kind](repo_id, hub)


def _read_role(table: Table) -> Role | None:
    mapped = table.has("map")
    if not table.has("role"):
        return Role.TARGET if mapped else Role.MEMBER
    role = table.choice("role", Role)
    if role is Role.TARGET and not mapped:
        table.fault("role", "is target, but there is no map; write [[repos.NAME.map]], or leave the role out")
    elif role is Role.MEMBER and mapped:
        table.fault("role", "is member, but there are maps; leave the role out: a repo with maps is a target")
    elif role is Role.SOURCE and mapped:
        table.fault("map", "is in the source; write the map in the repo that receives the files")
    return role


def _read_maps(table: Table) -> Numbered:
    """Read the maps of a repo, without the faulty ones."""
    entries = _entries(table, "map", _MAP_KEYS)
    read = [(at, made) for at, entry in entries if (made := _read_place(entry)) is not None]
    return tuple(read)


def _read_publish(table: Table) -> tuple[tuple[int, Publication], ...]:
    """Read what is published to a repo, with its indexes, without the faulty entries."""
    found: list[tuple[int, Publication]] = []
    for at, entry in _entries(table, "publish", _PUBLISH_KEYS):
        allow = entry.texts("allow", _protective)
        if (place := _read_place(entry)) is not None:
            found.append((at, Publication(place, allow)))
    return tuple(found)


def _entries(table: Table, key: str, known: tuple[str, ...]) -> list[tuple[int, Table]]:
    """Return the tables of an array of tables, with their indexes."""
    value = table.keys.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        one = "map" if key == "map" else "entry"
        table.fault(key, f"is {type_of(value)}; write each {one} as [[repos.NAME.{key}]], in double brackets")
        return []
    if len(value) > ENTRIES:
        table.fault(key, f"has {len(value):,} entries; {ENTRIES:,} are the most")
        return []
    if not value:
        table.fault(key, f"is empty; write [[repos.NAME.{key}]] with from and to, or leave it out")
    return [(at, Table(table.faults, (*table.place, key, at), item, known)) for at, item in enumerate(value)]


def _read_place(entry: Table) -> Map | None:
    """Read `from` and `to` of one entry."""
    entry.required("from", '"folder/*.py"')
    entry.required("to", '"folder/"')
    source = entry.text("from", Pattern.parse)
    if source is not None:
        return entry.text("to", partial(Map.into, source))
    entry.text("to", partial(Pattern.parse, whole=True))
    return None
