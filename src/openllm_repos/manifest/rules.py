"""What must hold between the parts of a manifest: one source, and maps, `owned` and `never` that agree."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping

from openllm_repos.manifest.faults import Faults, Place, spell
from openllm_repos.manifest.fields import Table
from openllm_repos.manifest.limits import COMPARISONS
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Repo, Role
from openllm_repos.names.overlap import TooMuchWork, related
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.plain import quoted
from openllm_repos.names.ref import TagTemplate

Numbered = tuple[tuple[int, Map], ...]
"""Maps with their index in the file; faulty maps are left out, so the indexes may have gaps."""


def check_sources(faults: Faults, roles: dict[str, Role | None]) -> None:
    """Exactly one repo is the source; `roles` holds the role of each key, None where it cannot be read."""
    sources = [key for key, role in roles.items() if role is Role.SOURCE]
    if not sources and None not in roles.values():
        faults.add(("repos",), 'no repo is the source; write role = "source" in the one where code is written')
    for key in sources[1:]:
        faults.add(
            ("repos", key, "role"),
            f'is a second source beside {quoted(sources[0])}; only one repo has role = "source"',
        )


def check_names(faults: Faults, entries: Collection[str], repos: list[Repo]) -> list[Repo]:
    """No two repos have one name, and none that of another entry; return those that are left."""
    taken: dict[str, Place] = {key: ("repos", key) for key in entries}
    found = []
    for repo in repos:
        other = taken.setdefault(repo.name, repo.place)
        if other == repo.place:
            found.append(repo)
        else:
            faults.add(
                repo.place,
                f"would be called {quoted(repo.name)}, as {spell(other)} is; take one of the two out, or give it an"
                " entry of its own with another name",
            )
    return found


def check_places(faults: Faults, repos: list[Repo]) -> None:
    """No two repos are the same branch of the same repository."""
    seen: dict[tuple[str, str], Repo] = {}
    for repo in repos:
        first = seen.setdefault((repo.url.identity, repo.branch), repo)
        if first is not repo:
            faults.add(
                repo.place,
                f"is branch {quoted(repo.branch)} of {repo.url.identity}, as {quoted(first.name)} is;"
                " write another repository or branch",
            )


def check_release(faults: Faults, place: Place, role: Role | None, keys: Mapping[str, object]) -> None:
    """A repo says how it takes part in releases only where that makes sense for its role."""
    if role is Role.SOURCE:
        if keys.get("release") is False:
            faults.add((*place, "release"), "is false, but the source's tag is what makes a release; leave it out")
        for key in ("tag", "version"):
            if key in keys:
                faults.add((*place, key), f"is in the source; write it as project.{key}")
        if "submodule" in keys:
            faults.add(
                (*place, "submodule"), "is in the source, which cannot pin itself; write it in the repo that is pinned"
            )
    if "at" in keys and role in (Role.SOURCE, Role.MEMBER):
        faults.add((*place, "at"), "is in a repo without maps; only a target has a last sync, so leave it out")


def check_tags(faults: Faults, repos: tuple[Repo, ...], form: TagTemplate) -> None:
    """Two branches of one repository cannot both have a release's tag (of `form`), unless one has a form of its own."""
    seen: dict[tuple[str, str], Repo] = {}
    for repo in repos:
        if not repo.release:
            continue
        first = seen.setdefault((repo.url.identity, repo.tag or form), repo)
        if first.branch != repo.branch:
            faults.add(
                repo.place,
                f"is the same repository as {quoted(first.name)}, where one tag cannot name two commits;"
                f' write release = false, or a tag of its own such as tag = "{repo.branch}-{form}"',
            )


def check_maps(table: Table, maps: Numbered, owned: tuple[Pattern, ...], never: tuple[Pattern, ...]) -> None:
    """The maps of a target write different paths, none of them owned, and read no `never` path."""
    faults, place, name = table.faults, table.at("map"), _name_beside(table, "map", "owned")
    sources, outputs = [entry.source for _, entry in maps], [entry.output for _, entry in maps]
    with _bounded(faults, place):
        for number, index, example in faults.comparer.meeting(sources, never):
            faults.add(
                (*place, maps[number][0], "from"),
                f"can read {quoted(example)}, which project.never[{index}] ({quoted(never[index].text)}) keeps out of"
                " every target; take a narrower pattern",
            )
        for number, index, example in faults.comparer.meeting(outputs, owned):
            faults.add(
                (*place, maps[number][0], "to"),
                f"can write {quoted(example)}, which {name}[{index}] ({quoted(owned[index].text)}) leaves to this repo"
                " alone; write to another folder",
            )
        for number, other in related(outputs, outputs):
            if other < number and (clash := _clash(faults, *_named("map", maps[number]), *_named("map", maps[other]))):
                faults.add((*place, maps[number][0], "to"), clash)


def _name_beside(table: Table, key: str, other: str) -> str:
    """Return how a key is named in a fault of another one: with its place, where only one of them is inherited."""
    return other if table.at(key)[:-1] == table.at(other)[:-1] else spell(table.at(other))


@contextlib.contextmanager
def _bounded(faults: Faults, place: Place) -> Iterator[None]:
    """Let patterns that take too long to compare be a fault."""
    try:
        yield
    except TooMuchWork:
        faults.add(
            place,
            f"has patterns that take over {COMPARISONS:,} steps to compare with each other, 'owned' and 'never'; take"
            " fewer, with fewer wildcards, or whole folders",
        )


def check_publish(table: Table, published: Numbered, maps: Numbered) -> None:
    """What is published to a repo is written by one entry alone, and by no map.

    `never` has no say: it keeps paths of the source's history out of what is synced. A folder that no Space may get
    can be published to its dataset on purpose.
    """
    faults, place, name = table.faults, table.at("publish"), _name_beside(table, "publish", "map")
    named = [_named("publish", one) for one in published] + [_named(name, one) for one in maps]
    outputs = [entry.output for _, entry in named]
    with _bounded(faults, place):
        for number, other in related(outputs[: len(published)], outputs):
            due = number > other or other >= len(published)
            if due and (clash := _clash(faults, *named[number], *named[other])):
                faults.add((*place, published[number][0], "to"), clash)


def _named(key: str, one: tuple[int, Map]) -> tuple[str, Map]:
    return f"{key}[{one[0]}]", one[1]


def _clash(faults: Faults, name: str, entry: Map, other_name: str, other: Map) -> str | None:
    """Say what two entries cannot both write, and what to write instead."""
    advice = "write to another folder or take another pattern"
    if example := faults.comparer.intersect(entry.output, other.output):
        for at, one, beside in ((name, entry, other), (other_name, other, entry)):
            narrow = one.without_subfolders()
            if narrow is not None and not faults.comparer.intersect(narrow.output, beside.output):
                own = f'in {at}, from = "{narrow.source.text}"'
                advice = f"write to another folder, or only the folder's own files: {own}"
                break
        return f"can write {quoted(example)}, as {other_name} can; {advice}"
    for file, folder in ((entry.output, other.output), (other.output, entry.output)):
        if file.is_single_file and (folder.base + "/").startswith(file.canonical + "/"):
            both = f"{quoted(file.canonical)} to be both a file and a folder"
            return f"needs {both}, together with {other_name}; {advice}"
    return None
