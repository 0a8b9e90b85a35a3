"""The questions that `init` asks on a terminal: few, each with a proposal that Enter takes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import click

from openllm_repos.errors import ReposError, UsageError
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Kind
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.plain import quoted
from openllm_repos.names.ref import RepoName
from openllm_repos.setup.begin import Wishes, complete
from openllm_repos.setup.draft import Draft
from openllm_repos.setup.places import Place, place_of
from openllm_repos.setup.survey import Seen, Survey

_NONE = "-"
_Read = TypeVar("_Read")


def ask_places(found: Survey) -> Wishes:
    """Ask which repositories belong together."""
    click.echo("Which repositories belong together? Enter takes what stands in brackets; - is none.\n", err=True)
    source = found.place or _asked("The source on GitHub (owner/name)", "", lambda text: place_of(Kind.GITHUB, text))
    if found.place is not None:
        click.echo(f"The source: {source.text}", err=True)
    spaces, models, datasets = (_known(found, kind) for kind in (Kind.SPACE, Kind.MODEL, Kind.DATASET))
    space = _asked("The Space (owner/name)", spaces[0] if spaces else _NONE, lambda text: _places(Kind.SPACE, text)[:1])
    asked_models = _asked("Models, with blanks between", _joined(models), lambda text: _places(Kind.MODEL, text))
    asked_data = _asked("Datasets, with blanks between", _joined(datasets), lambda text: _places(Kind.DATASET, text))
    wishes = Wishes(source, space[0] if space else None, (*asked_models, *asked_data))
    if found.submodules:
        paths = [one.path for one in found.submodules]
        pinned = _asked(
            "Submodules that belong to the family", _joined(map(shlex.quote, paths)), partial(_among, paths)
        )
        wishes = replace(wishes, submodules=pinned)
    return wishes


def ask_contents(draft: Draft, found: Survey, wishes: Wishes, seen: Mapping[RepoName, Seen]) -> Wishes:
    """Ask what goes where, beginning from what `complete` would propose."""
    proposed = complete(draft, found, wishes, seen)
    space = next((entry for entry in proposed.others if entry.place.kind is Kind.SPACE), None)
    if space is not None:
        if space.maps:
            click.echo("\nWhere does this go in the Space? A folder, or - for not at all.", err=True)
        maps = [
            (source, to[0])
            for source, into in space.maps
            if (to := _asked(f"  {source}", into, partial(_folder, source)))
        ]
        wishes = replace(wishes, maps=tuple(maps))
        proposed = complete(draft, found, wishes, seen)
        owned = next(entry.owned for entry in proposed.others if entry.name == space.name)
        wishes = replace(wishes, owned=_asked("Only the Space writes", _joined(owned), _patterns))
    never = _asked("Never leaves the source", _joined(proposed.never), _patterns)
    return replace(wishes, never=never)


def agreed(text: str, name: str) -> bool:
    """Show the manifest and ask whether it is to be written: into the clone alone, so Enter says yes."""
    click.echo(f"\n{text}", err=True)
    return click.confirm(f"Write this to {name}, and add the git remotes?", default=True, err=True)


def _asked(question: str, proposal: str, read: Callable[[str], _Read]) -> _Read:
    """Ask until the answer can be read; what is wrong with it is said, with the way out."""
    while True:
        answer = click.prompt(question, default=proposal or None, err=True)
        try:
            return read(str(answer).strip())
        except UsageError as why:
            _say(why)


def _say(why: ReposError) -> None:
    click.echo(f"  {why.message}", err=True)
    if why.hint:
        click.echo(f"  {why.hint}", err=True)


def _words(text: str) -> tuple[str, ...]:
    return () if text == _NONE else tuple(text.replace(",", " ").split())


def _places(kind: Kind, text: str) -> tuple[Place, ...]:
    return tuple(place_of(kind, word) for word in _words(text))


def _patterns(text: str) -> tuple[str, ...]:
    words = _words(text)
    for word in words:
        Pattern.parse(word, protective=True)
    return words


def _among(paths: Sequence[str], text: str) -> tuple[str, ...]:
    """Read some of the paths, quoted as for a shell where they hold blanks."""
    known = " ".join(map(shlex.quote, paths))
    try:
        words = () if text == _NONE else tuple(shlex.split(text))
    except ValueError:
        raise UsageError(f"{quoted(text)} has a quote that does not end.", hint=f"They are: {known}") from None
    for word in words:
        if word not in paths:
            raise UsageError(f"{quoted(word)} is none of them.", hint=f"They are: {known}")
    return words


def _folder(source: str, text: str) -> tuple[str, ...]:
    if text == _NONE:
        return ()
    Map.of(source, text)
    return (text,)


def _known(found: Survey, kind: Kind) -> list[str]:
    return [place.text for place in found.others if place.kind is kind]


def _joined(words: Iterable[str]) -> str:
    return " ".join(words) or _NONE
