"""What a target keeps from maps that its manifest no longer has, as `status` and `sync` say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openllm_repos.family.left_behind import left_behind
from openllm_repos.family.relation import relate
from openllm_repos.family.state import TargetState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.names.objectid import ObjectId
from tests.support.repositories import Clone
from tests.support.stated import Stated, parse


@pytest.fixture
def stated(clone: Clone) -> Stated:
    return Stated.of(clone)


def said(stated: Stated, *maps: tuple[str, str], owned: str = "app.py", tip: bool = True) -> list[str]:
    """Return what is said once the maps are these."""
    repository, manifest = stated.repository, parse(maps=maps or (("core/*.py", "lib/"),), owned=owned)
    with ObjectReader(repository.git) as reader:
        target = manifest.target("space")
        relation = relate(repository, reader, manifest, target, stated.head, stated.tip if tip else None)
        return list(left_behind(repository, reader, manifest, target, relation))


def left(names: str, some: str) -> str:
    stay = "stays as it is" if some == "1 file" else "stay as they are"
    return f"No map of space writes {names} any more; {some} there {stay}."


def edited(names: str) -> str:
    return f"space has edited {names}, which no map writes any more. To take that along, put the old"


def test_nothing_is_said_of_a_target_without_a_state_or_with_the_maps_of_today(stated: Stated) -> None:
    assert said(stated, tip=False) == said(stated) == []
    stated.sync({"training/model.py": "one\n"})
    assert said(stated, ("core/*.py", "training/")) == []
    assert said(stated) == [left("training/", "1 file")]
    stated.sync({}, state=TargetState.of(parse(maps=[("core/*.py", "lib/")]).target("space"), None, None))
    assert said(stated) == []


@pytest.mark.parametrize(
    ("folders", "names"),
    [("abc", "a/, b/, c/"), ("abcd", "a/, b/, c/ and 1 more"), (("", "b"), "b/, x.py")],
)
def test_a_few_folders_are_named_and_the_rest_is_counted(stated: Stated, folders: str, names: str) -> None:
    files = {f"core/{folder or 'top'}/x.py": "x\n" for folder in folders}
    stated.source(files)
    stated.manifest = parse(
        maps=[(f"core/{folder or 'top'}/x.py", f"{folder}/" if folder else ".") for folder in folders]
    )
    stated.sync({f"{folder}/x.py".lstrip("/"): "x\n" for folder in folders})
    assert said(stated) == [left(names, f"{len(folders)} files")]


def test_an_edit_is_told_as_long_as_it_stands_and_the_source_never_had_it(stated: Stated) -> None:
    stated.source({"core/train.py": "train\n", "docs/a.txt": "a\n"})
    stated.manifest = parse(maps=[("core/*.py", "training/"), ("docs/*.txt", "text/")])
    stated.sync({"training/model.py": "one\n", "training/train.py": "train\n", "text/a.txt": "a\n"})
    stated.source({"core/model.py": "one, later\n"})
    stated.edit({"training/model.py": "mine\n", "training/train.py": None, "training/own.py": "own\n"})
    news = left("text/, training/", "3 files")
    first, told = said(stated)
    assert (first, told.startswith(edited("training/model.py, training/own.py"))) == (news, True)
    assert said(stated, owned="training/*") == [news]
    stated.edit({"training/model.py": "one, later\n"})
    _, told = said(stated)
    assert told.startswith(edited("training/own.py"))
    stated.source({"core/own.py": "own\n"})
    assert said(stated) == [news]
    # once a sync was made through the maps of today, only what was edited is still told
    stated.edit({"training/model.py": "mine\n"})
    stated.manifest = parse(maps=[("core/*.py", "lib/")])
    stated.sync({"lib/model.py": "one, later\n"})
    (told,) = said(stated)
    assert told.startswith(edited("training/model.py"))


def test_each_file_is_told_of_the_newest_maps_that_wrote_it(stated: Stated) -> None:
    stated.sync({"training/model.py": "one\n"})
    stated.manifest = parse(maps=[("core/*.py", "training/"), ("core/more/*.py", "more/")])
    stated.source({"core/more/x.py": "x\n"})
    stated.sync({"more/x.py": "x\n"})
    stated.edit({"training/model.py": "mine\n"})
    news, told = said(stated)
    assert news == left("more/, training/", "2 files")
    assert told.startswith(edited("training/model.py"))
    assert said(stated, ("core/*.py", "training/")) == [left("more/", "1 file")]


def test_what_nobody_can_read_any_more_is_passed_over(stated: Stated) -> None:
    """A message without its maps, another source, a projection that is not in this clone, or none."""
    known = stated.state(stated.head)
    stated.sync({"training/model.py": "one\n"})
    others = parse(maps=[("core/*.py", "other/")]).target("space")
    for state in (
        replace(known, maps=(), digest="0" * 64),
        replace(TargetState.of(others, stated.head, known.projected), digest="1" * 64),
    ):
        stated.sync({}, state=state)
    stated.edit({"training/model.py": "mine\n"})
    elsewhere = stated.stating(TargetState.of(others, ObjectId("3" * 40), known.projected))
    stated.commit("space", elsewhere.replace("example.org/main", "example.org/else"), {"other/x.py": "x\n"})
    (told,) = said(stated)
    assert told.startswith(edited("training/model.py"))
    for projected in (None, ObjectId("2" * 40)):
        commit = None if projected is None else stated.head
        stated.sync({}, state=TargetState.of(stated.target, commit, projected))
        assert said(stated) == [left("training/", "1 file")]
