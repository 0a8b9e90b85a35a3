"""What a target's own commits did, at the places where its files are now."""

from __future__ import annotations

import pytest

from openllm_repos.family.base import OwnCommits
from openllm_repos.family.state import find_state, own_since
from openllm_repos.git.objects import ObjectReader
from openllm_repos.projection.changes import MappedPart
from tests.support.repositories import Clone
from tests.support.stated import Stated

LINES = "".join(f"line {number}\n" for number in range(9))


@pytest.mark.parametrize("mover", ["source", "target", "nobody"])
def test_an_edit_follows_a_file_that_the_source_renamed_and_none_that_the_target_moved(
    clone: Clone, mover: str
) -> None:
    stated = Stated.of(clone)
    stated.source({"core/model.py": LINES})
    stated.sync({"training/model.py": LINES})
    mine = LINES.replace("line 4", "mine")
    edit = stated.edit({"training/model.py": mine, "training/own.py": "own\n"})
    if mover == "source":
        stated.source({"core/model.py": None, "core/moved.py": LINES})
    opened = [edit]
    if mover == "target":
        opened.append(stated.edit({"training/model.py": None, "training/moved.py": mine}))
    moved: dict[str, str | bytes | None] = {"training/model.py": None, "training/moved.py": mine}
    stated.sync(moved if mover == "source" else {}, *opened)
    repository, target = stated.repository, stated.target
    with ObjectReader(repository.git) as reader:
        at = find_state(repository, reader, stated.tip, stated.manifest.source.url)
        part = MappedPart(reader, target.maps, repository.object_format)
        commits = own_since(repository, reader, target.maps, stated.tip, at)
        own = OwnCommits(repository, reader, part, at, commits)
        place = b"training/moved.py" if mover == "source" else b"training/model.py"
        assert (commits, own.changes(edit).keys()) == (opened, {place, b"training/own.py"})
        assert (own.touching(place)[0], own.listed(edit), own.listed(stated.tip)) == (edit, True, False)
