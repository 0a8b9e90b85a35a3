"""Reads the repos of a manifest: each entry over the defaults of its kind, and one for many ids as so many repos.

What comes out are ordinary repos, each with the place that it comes from; no other room knows how they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from openllm_repos.errors import NameRefused
from openllm_repos.manifest.faults import Faults, Place
from openllm_repos.manifest.fields import Table, type_of
from openllm_repos.manifest.limits import ENTRIES, REPOS
from openllm_repos.manifest.maps import Map, Publication
from openllm_repos.manifest.model import DEFAULT_BRANCH, At, DriftPolicy, History, Kind, Repo, Role
from openllm_repos.manifest.rules import (
    Numbered,
    check_maps,
    check_names,
    check_places,
    check_publish,
    check_release,
    check_sources,
)
from openllm_repos.manifest.submodules import submodule_path
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.place import VersionPlace
from openllm_repos.names.plain import quoted
from openllm_repos.names.ref import BranchName, GroupName, RepoName, TagTemplate
from openllm_repos.names.url import HostUrl, RepoId, RepoUrl

MAP_KEYS: Final = ("from", "to")
_PUBLISH_KEYS: Final = ("from", "to", "allow")
_URL_ON_HUB: Final[dict[Kind, Callable[[RepoId, HostUrl | None], RepoUrl]]] = {
    Kind.SPACE: RepoId.space_url,
    Kind.MODEL: RepoId.model_url,
    Kind.DATASET: RepoId.dataset_url,
}
_ONE: Final = {kind.key: kind for kind in Kind}
_MANY: Final = {f"{key}s": kind for key, kind in _ONE.items()}
_KINDS: Final = _ONE | _MANY
_RELEASE_KEYS: Final = ("release", "tag", "at", "version")
_TARGET_KEYS: Final = ("history", "drift", "owned", "map")
_SHARED_KEYS: Final = ("groups", "branch", *_RELEASE_KEYS, *_TARGET_KEYS, "publish")
REPO_KEYS: Final = (*_ONE, *_MANY, "role", *_SHARED_KEYS, "submodule")

protective = partial(Pattern.parse, protective=True)
_Never = tuple[Pattern, ...]
_Defaults = Mapping[Kind, Table]


def default_keys(kind: Kind) -> tuple[str, ...]:
    """Return what may be said once for all repos of a kind."""
    return tuple(key for key in _SHARED_KEYS if key != "publish" or kind.on_hub)


def read_defaults(faults: Faults, value: object, never: _Never) -> _Defaults:
    """Read what repos of a kind have in common; it is checked also where no repo takes it."""
    table = Table(faults, ("defaults",), value, tuple(_ONE))
    found = {}
    for key, kind in _ONE.items():
        found[kind] = Table(faults, ("defaults", key), table.keys.get(key, {}), default_keys(kind))
        _read_shared(found[kind], never)
    return found


def read_repos(
    faults: Faults, value: object, defaults: _Defaults, never: _Never, hub: HostUrl | None
) -> tuple[Repo, ...]:
    """Read all repos, in the order of the file."""
    if not isinstance(value, dict):
        faults.add(("repos",), f"is {type_of(value)}; write a table [repos.NAME] for each repo")
        return ()
    repos: list[Repo] = []
    roles: dict[str, Role | None] = {}
    for key, entry in value.items() if len(value) <= REPOS else ():
        roles[key], made = _read_entry(Table(faults, ("repos", key), entry, REPO_KEYS), defaults, never, hub)
        repos += made
    if (count := max(len(value), len(repos))) > REPOS:
        faults.add(("repos",), f"has {count:,} repos; {REPOS:,} are the most")
        return ()
    check_sources(faults, roles)
    repos = check_names(faults, value, repos)
    check_places(faults, repos)
    return tuple(repos)


def _read_entry(
    table: Table, defaults: _Defaults, never: _Never, hub: HostUrl | None
) -> tuple[Role | None, list[Repo]]:
    """Read one entry; its role is None where it cannot be told, and then it makes no repo."""
    if not table.is_table:
        return None, []
    key = str(table.place[-1])
    name: RepoName | None = None
    try:
        name = RepoName(key)
    except NameRefused as refused:
        table.faults.add(table.place, refused.message)
    kind, places = _read_kind(table)
    many = kind is not None and kind.key not in table.keys
    if kind is not None:
        table.inherit(defaults[kind], _meant_for(table, kind, defaults[kind]))
    shared = _read_shared(table, never)
    role = _read_role(table)
    if "publish" in table.keys and (role is Role.SOURCE or (kind is not None and not kind.on_hub)):
        what = "the source" if role is Role.SOURCE else "a repo that is not on the Hub"
        table.fault("publish", f"is in {what}; artifacts are published to a model, a dataset or a Space")
    check_release(table.faults, table.place, role, table.keys)
    shared["submodule"] = table.text("submodule", submodule_path)
    inherited = frozenset(table.inherited)
    if many and role is Role.SOURCE:
        table.fault("role", "is source, but the entry is for many repos; give the source an entry of its own")
    if many and "submodule" in table.keys:
        table.fault("submodule", "is in an entry for many repos; give the one that is pinned an entry of its own")
    if name is None or role is None or kind is None:
        return role, []
    if many:
        shared["groups"] = tuple(dict.fromkeys((GroupName(name), *shared["groups"])))
    made = []
    for place, text in places:
        repo_id = None if isinstance(text, RepoUrl) else text
        url = text if isinstance(text, RepoUrl) else _url(kind, text, hub)
        if (named := _derived(table.faults, place, text) if many else name) is not None:
            made.append(Repo(named, kind, url, repo_id, role, **shared, place=place, inherited=inherited))
    return role, made


def _meant_for(table: Table, kind: Kind, defaults: Table) -> list[str]:
    """Return the keys that an entry may have from the defaults: not those that make no sense in its role."""
    role = table.keys.get("role")
    mapped = role != Role.MEMBER and (table.has("map") or defaults.has("map"))
    return [key for key in default_keys(kind) if role != Role.SOURCE and (mapped or key not in {"map", "at"})]


def _derived(faults: Faults, place: Place, text: str) -> RepoName | None:
    """Return the name of a repo that has none of its own: the last part of its id or URL, in lower case."""
    try:
        return RepoName(text.rstrip("/").rpartition("/")[2].removesuffix(".git").lower())
    except NameRefused as refused:
        faults.add(place, f"needs an entry of its own, which names it; {refused.message}")
        return None


def _read_kind(table: Table) -> tuple[Kind | None, list[tuple[Place, RepoId | RepoUrl]]]:
    """Read which repositories an entry names, each with its place."""
    given = [key for key in table.keys if key in _KINDS]
    if not given:
        known = ", ".join(_ONE)
        what = f'names no repository; write one of {known}, such as github = "owner/name"'
        table.faults.add(table.place, what)
    for key in given[1:]:
        table.fault(key, f"names a second repository beside {quoted(given[0])}; keep one of the two")
    places: list[tuple[Place, RepoId | RepoUrl]] = []
    # The first is the one that counts; the others are read for their own faults.
    for key in given[::-1]:
        parse: Callable[[str], RepoId | RepoUrl] = RepoUrl if _KINDS[key] is Kind.GIT else RepoId
        if key in _MANY:
            places = [((*table.at(key), at), one) for at, one in table.numbered(key, parse, distinct=True)]
            if table.keys[key] == []:
                table.fault(key, "is empty; name a repository, or leave the entry out")
        else:
            one = table.text(key, parse)
            places = [] if one is None else [(table.place, one)]
    return (_KINDS[given[0]] if given else None), places


def _read_shared(table: Table, never: _Never) -> dict[str, Any]:
    """Read what an entry and the defaults may say, as arguments of :class:`Repo`."""
    owned = table.texts("owned", protective)
    maps = _read_maps(table)
    published = _read_publish(table)
    check_maps(table, maps, owned, never)
    check_publish(table, tuple((at, entry.place) for at, entry in published), maps)
    return {
        "branch": table.text("branch", BranchName) or DEFAULT_BRANCH,
        "release": table.flag("release", default=True),
        "history": table.choice("history", History) or History.FULL,
        "drift": table.choice("drift", DriftPolicy) or DriftPolicy.MERGE,
        "owned": owned,
        "maps": tuple(entry for _, entry in maps),
        "tag": table.text("tag", TagTemplate),
        "at": table.choice("at", At) or At.TIP,
        "version": table.texts("version", VersionPlace, alone=True),
        "publish": tuple(entry for _, entry in published),
        "groups": tuple(name for _, name in table.numbered("groups", GroupName, distinct=True)),
    }


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
    entries = _entries(table, "map", MAP_KEYS)
    read = [(at, made) for at, entry in entries if (made := _read_place(entry)) is not None]
    return tuple(read)


def _read_publish(table: Table) -> tuple[tuple[int, Publication], ...]:
    """Read what is published to a repo, with its indexes, without the faulty entries."""
    found: list[tuple[int, Publication]] = []
    for at, entry in _entries(table, "publish", _PUBLISH_KEYS):
        allow = entry.texts("allow", protective)
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
    return [(at, Table(table.faults, (*table.at(key), at), item, known)) for at, item in enumerate(value)]


def _read_place(entry: Table) -> Map | None:
    """Read `from` and `to` of one entry."""
    entry.required("from", '"folder/*.py"')
    entry.required("to", '"folder/"')
    source = entry.text("from", Pattern.parse)
    if source is not None:
        return entry.text("to", partial(Map.into, source))
    entry.text("to", partial(Pattern.parse, whole=True))
    return None
