"""`openllm-repos manifest`: show, check and edit `repos.toml`. Nothing here starts git or touches the network."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openllm_repos.cli.completion import GROUP, PLACE, REPO
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.hint import hint_lines
from openllm_repos.manifest import DriftPolicy, History, Manifest, Repo, Role
from openllm_repos.manifest.faults import spell
from openllm_repos.manifest.model import At, LockPlace
from openllm_repos.names.url import HUB_HOST
from openllm_repos.text import show

KINDS = ("github", "space", "model", "dataset", "url")

# What a manifest starts from when the first repo is added; a sound one needs a source, so that comes first.
_BEGINNING = 'schema = 1\n\n[project]\nname = "{name}"\n'


@click.group("manifest")
def manifest() -> None:
    """Show, check and edit repos.toml: the one place that says what should be."""


@manifest.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with every default written out.")
@click.pass_obj
def show_manifest(invocation: Invocation, as_json: bool) -> None:
    """Show the manifest as it is understood."""
    read = Manifest.load(invocation.manifest_path())
    if as_json:
        import json

        click.echo(json.dumps(facts(read), indent=2))
    else:
        click.echo("\n".join(show(line) for line in _lines(read)))


@manifest.command("check", short_help="Check the manifest, and list every fault.")
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Check the manifest. Every fault is listed; where there is one, the exit code is 2."""
    path = invocation.manifest_path()
    read = Manifest.load(path)
    _say(invocation, f"{path.name} is sound: {counted(read)}.")


@manifest.command("add", short_help="Add a repo, or begin a new repos.toml.")
@click.argument("name")
@click.option("--github", metavar="OWNER/NAME", multiple=True, help="A GitHub repository; repeatable.")
@click.option("--space", metavar="OWNER/NAME", multiple=True, help="A Hugging Face Space; repeatable.")
@click.option("--model", metavar="OWNER/NAME", multiple=True, help="A Hugging Face model repository; repeatable.")
@click.option("--dataset", metavar="OWNER/NAME", multiple=True, help="A Hugging Face dataset repository; repeatable.")
@click.option(
    "--url", metavar="URL", multiple=True, help="Any git repository: https://, ssh:// or file:///; repeatable."
)
@click.option("--source", is_flag=True, help="This is the repo where the code is written.")
@click.option("--branch", metavar="NAME", help="The branch that counts (main).")
@click.option(
    "--map", "maps", metavar="FROM TO", nargs=2, multiple=True, help="Carry FROM of the source to TO; repeatable."
)
@click.option("--owned", metavar="PATH", multiple=True, help="A path that only this repo writes; repeatable.")
@click.option("--history", type=click.Choice([str(one) for one in History]), help="full, or one commit per sync.")
@click.option("--drift", type=click.Choice([str(one) for one in DriftPolicy]), help="merge it, or refuse to sync.")
@click.option("--submodule", metavar="PATH", help="The source pins a commit of it at PATH.")
@click.option("--group", "groups", metavar="NAME", multiple=True, type=GROUP, help="A group of it; repeatable.")
@click.option("--no-release", is_flag=True, help="Releases leave this repo out.")
@click.pass_obj
def add(
    invocation: Invocation,
    /,
    name: str,
    maps: tuple[tuple[str, str], ...],
    owned: tuple[str, ...],
    groups: tuple[str, ...],
    **options: Any,  # noqa: ANN401 - the other options, each as click gives it
) -> None:
    """Add a repo called NAME; the first one, with --source, begins a new repos.toml.

    With several --space (or another kind) it is one entry for all of them; more can be added to it later.
    """
    from openllm_repos.manifest.edit import add_repo

    places = [(kind, list(options[kind])) for kind in KINDS if options[kind]]
    if len(places) != 1:
        raise click.UsageError(f"Say where the repo is, with one of {', '.join('--' + kind for kind in KINDS)}.")
    ((kind, ids),) = places
    fields: dict[str, str | bool | list[str]] = {f"{kind}s": ids} if len(ids) > 1 else {kind: ids[0]}
    if options["source"]:
        fields["role"] = str(Role.SOURCE)
    fields |= {key: options[key] for key in ("branch", "history", "drift", "submodule") if options[key] is not None}
    if options["no_release"]:
        fields["release"] = False
    if owned:
        fields["owned"] = list(owned)
    if groups:
        fields["groups"] = list(groups)
    path = invocation.manifest_path()
    change = functools.partial(add_repo, name=name, fields=fields, maps=maps, origin=path.name)
    read = _edit(path, change)
    *_, repo = added = [repo for repo in read.repos if repo.entry == name][-len(ids) :]
    where = path.name if repo.name == name else f"{name} in {path.name}"
    for one in added[:-1]:
        _say(invocation, f"Added {one.name} ({one.kind}, {one.url}) to {where}.")
    _say(invocation, f"Added {repo.name} ({repo.kind}, {repo.url}) to {where}; it now has {counted(read)}.")
    if repo.role is Role.TARGET and not invocation.quiet:
        click.echo("\n".join(hint_lines("openllm-repos init  # commits and pushes it, and goes on to the first sync")))


@manifest.command("remove")
@click.argument("name", type=REPO)
@click.pass_obj
def remove(invocation: Invocation, name: str) -> None:
    """Remove the repo NAME. The repository itself is not touched."""
    from openllm_repos.manifest.edit import edit_file, remove_repo

    path = invocation.manifest_path()
    read = edit_file(path, functools.partial(remove_repo, name=name, origin=path.name))
    _say(invocation, f"Removed {name} from {path.name}; it now has {counted(read)}.")


@manifest.command("set", short_help="Set one value.")
@click.argument("place", type=PLACE)
@click.argument("value")
@click.pass_obj
def set_(invocation: Invocation, place: str, value: str) -> None:
    """Set one value, such as repos.space.branch or 'repos.space.map[0].to' (counted from 0).

    Lists are written with commas: app.py,README.md
    """
    from openllm_repos.manifest.edit import edit_file, set_value

    path = invocation.manifest_path()
    edit_file(path, functools.partial(set_value, place=place, value=value, origin=path.name))
    _say(invocation, f"Set {place} in {path.name}.")


@manifest.command("schema")
def schema() -> None:
    """Print the JSON Schema of repos.toml, for editors."""
    from openllm_repos.manifest.schema import schema_text

    click.echo(schema_text(), nl=False)


def facts(read: Manifest) -> dict[str, Any]:
    """Return a manifest as the values of `manifest show --json`; keys and their meaning are those of repos.toml."""
    return {
        "schema": read.schema,
        "project": {
            "name": read.project.name,
            "version": list(read.project.version),
            "tag": str(read.project.tag),
            "never": [pattern.text for pattern in read.project.never],
            "lock": str(read.project.lock),
        },
        "hosts": {"hub": str(read.hub or HUB_HOST)},
        "source": str(read.source.name),
        "repos": [_repo_facts(repo) for repo in read.repos],
        "hooks": {"offline": str(read.hooks.offline)},
    }


def _repo_facts(repo: Repo) -> dict[str, Any]:
    return {
        "name": str(repo.name),
        "kind": str(repo.kind),
        "id": None if repo.repo_id is None else str(repo.repo_id),
        "url": str(repo.url),
        "place": spell(repo.place),
        "groups": list(repo.groups),
        "role": str(repo.role),
        "branch": str(repo.branch),
        "release": repo.release,
        "tag": None if repo.tag is None else str(repo.tag),
        "at": str(repo.at),
        "version": [str(place) for place in repo.version],
        "history": str(repo.history),
        "drift": str(repo.drift),
        "owned": [pattern.text for pattern in repo.owned],
        "submodule": repo.submodule,
        "maps": [{"from": entry.source.text, "to": entry.written_to} for entry in repo.maps],
        "publish": [
            {
                "from": entry.place.source.text,
                "to": entry.place.written_to,
                "allow": [pattern.text for pattern in entry.allow],
            }
            for entry in repo.publish
        ],
    }


def _lines(read: Manifest) -> list[str]:
    """Return the manifest as lines for people."""
    lines = [f"{read.project.name}: {counted(read)}"]
    if read.project.version:
        lock = "" if read.project.lock is LockPlace.COMMIT else ", which carry the lock"
        lines.append(f"  version in {', '.join(read.project.version)}; tags {read.project.tag}{lock}")
    if read.hub:
        lines.append(f"  the Hub is {read.hub}")
    if read.project.never:
        lines.append(f"  never: {', '.join(pattern.text for pattern in read.project.never)}")
    width = terminal_columns()
    columns = (Column(least=max(len(repo.name) for repo in read.repos)), Column(yields=1))
    for _, alike in itertools.groupby(read.repos, lambda repo: repo.entry):
        *others, repo = alike  # what an entry says holds for all of its repos
        notes = [str(repo.role), str(repo.kind), f"branch {repo.branch}"]
        notes += [f"groups {', '.join(repo.groups)}"] if repo.groups else []
        notes += [] if repo.release else ["not in releases"]
        notes += [] if repo.tag is None else [f"tags {repo.tag}"]
        notes += [] if repo.at is At.TIP else ["released as of its last sync"]
        notes += [f"version in {place}" for place in repo.version]
        notes += [] if repo.history is History.FULL else ["squash"]
        notes += [] if repo.drift is DriftPolicy.MERGE else ["drift refused"]
        below = [", ".join(notes)]
        below += [f"{entry.source.text} → {entry.written_to}" for entry in repo.maps]
        places = [entry.place for entry in repo.publish]
        below += [f"publish: {place.source.text} → {place.written_to}" for place in places]
        if repo.submodule is not None:
            below.append(f"pinned at {repo.submodule}")
        if repo.owned:
            below.append(f"owned: {', '.join(pattern.text for pattern in repo.owned)}")
        rows = [*(Row([one.name, one.url]) for one in others), Row([repo.name, repo.url], below)]
        lines += ["", *table_lines(columns, rows, width=width)]
    return lines


def counted(read: Manifest) -> str:
    """Say how much is in a manifest, in a few words."""
    maps = sum(len(repo.maps) for repo in read.repos)
    counts = ((len(read.repos), "repo"), (len(read.targets), "target"), (maps, "map"))
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)


def _edit(path: Path, change: Callable[[str], str]) -> Manifest:
    """Change a manifest, or begin one where there is none yet."""
    from openllm_repos.errors import EnvironmentProblem
    from openllm_repos.manifest.edit import edit_file

    if path.exists():
        return edit_file(path, change)
    name = "".join(char for char in path.parent.name if char.isalnum() or char in "._-") or "project"
    text = change(_BEGINNING.format(name=name))
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise EnvironmentProblem(
            f"the manifest {path} cannot be written: {error.strerror}", hint="Choose another place with --manifest."
        ) from error
    return Manifest.load(path)


def _say(invocation: Invocation, text: str) -> None:
    if not invocation.quiet:
        click.echo(show(text))
