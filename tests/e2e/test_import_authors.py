"""`openllm-repos import`: who made a change in the Space stays its author, whatever came between it and the import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.process import run_git

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.family import Family
    from tests.support.process import Result

BOTH = pytest.mark.parametrize("history", ["full", "squash"])


def by(family: Family, who: str, subject: str, files: Mapping[str, str]) -> None:
    """Let somebody edit the Space."""
    family.work.git("config", "user.name", who)
    family.work.git("config", "user.email", f"{who.lower()}@example.org")
    family.edit(subject, files)


def imported(family: Family) -> list[str]:
    """Import what the Space changed; return author and subject of each commit, the oldest first."""
    done = family.run("import", "space", cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    return family.clone.log("main..import/space", form="%an: %s")[::-1]


def comes_to_rest(family: Family) -> None:
    """Merge the branch, sync, and see that both sides have the same."""
    family.clone.git("merge", "-q", "--no-edit", "import/space")
    family.push()
    family.synced()
    found = family.run("status", "--json", cwd=family.clone.path).json()["repos"]
    assert next(repo["state"] for repo in found if repo["name"] == "space") == "in sync"


def undone(family: Family) -> Result:
    """Take back the last operation."""
    done = family.run("undo", "--yes", cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    return done


def settled(family: Family, files: Mapping[str, str]) -> None:
    """Settle the conflict of a sync by hand."""
    opened = family.run("sync", "space", "--resolve", cwd=family.clone.path)
    work = Path(opened.out.splitlines()[0].rpartition(" ")[2])
    for path, content in files.items():
        (work / path).write_text(content)
    run_git("add", *files, cwd=work)
    done = family.run("sync", "--yes", "space", "--continue", cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)


@pytest.mark.parametrize("by_the_hub", [{}, {"training/extra.py": "made there\n"}])
@BOTH
def test_who_edited_a_copy_made_by_hand_stays_its_author_after_the_adoption(
    family: Family, history: str, by_the_hub: dict[str, str]
) -> None:
    family.manifest(settings=f'history = "{history}"')
    more = {"a.py": "a\n", "b.py": "b\n"}
    family.commit("More", {f"core/src/{name}": content for name, content in more.items()})
    copy = {"training/model.py": text(), "training/train.py": "train\n", "configs/small.json": "{}\n"}
    copy |= {f"training/{name}": content for name, content in more.items()}
    by(family, "Una", "Copied", copy | by_the_hub)
    by(family, "Ada", "First edit", {"training/train.py": "edited\n"})
    by(family, "Bob", "Second edit", {"training/model.py": text(l3="bob")})
    assert family.run("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    edits = ["Ada: First edit", "Bob: Second edit"]
    assert [line for line in imported(family) if line != "Una: Copied"] == edits
    comes_to_rest(family)


@pytest.mark.slow
@BOTH
def test_an_edit_keeps_its_author_when_the_sync_after_it_is_undone_and_made_again(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    by(family, "Ada", "Edit", {"training/model.py": text(l3="ada")})
    family.commit("Meanwhile", {"core/src/model.py": text(l15="source")})
    family.synced()
    undone(family)
    by(family, "Bob", "Edit after the undo", {"training/train.py": "bob\n"})
    assert imported(family) == ["Ada: Edit", "Bob: Edit after the undo"]
    family.clone.git("branch", "-q", "-D", "import/space")
    family.synced()
    assert {"Ada: Edit", "Bob: Edit after the undo"} <= set(imported(family))
    comes_to_rest(family)


@pytest.mark.slow
@BOTH
def test_an_edit_keeps_its_author_when_its_folder_was_renamed_together_with_the_map(
    family: Family, history: str
) -> None:
    settings = f'history = "{history}"'
    family.manifest(settings=settings)
    family.synced()
    by(family, "Ada", "Edit", {"training/model.py": text(l3="ada")})
    family.clone.git("mv", "core/src", "core/lib")
    family.manifest(settings=settings, maps=(("core/lib/*.py", "training/"), ("configs/*.json", "configs/")))
    family.commit("Rename the folder", {"core/lib/model.py": text(l15="source")})
    family.synced()
    assert imported(family) == ["Ada: Edit"]
    assert family.clone.read("core/lib/model.py", "import/space") == text(l3="ada", l15="source").encode()
    comes_to_rest(family)


@pytest.mark.slow
def test_an_edit_keeps_its_author_when_the_source_was_reset(family: Family) -> None:
    family.synced()
    family.commit("Given up", {"core/src/model.py": text(l15="given up")})
    family.synced()
    by(family, "Ada", "Edit", {"training/model.py": text(l3="ada", l15="given up")})
    family.clone.git("reset", "-q", "--hard", "HEAD^")
    family.push()
    family.synced()
    assert imported(family) == ["Ada: Edit"]
    assert family.clone.read("core/src/model.py", "import/space") == text(l3="ada").encode()
    comes_to_rest(family)


@pytest.mark.slow
def test_a_commit_that_stands_for_others_names_them_and_their_authors(family: Family) -> None:
    """The source was written anew, so the edits have no commit to stand on; a person settled what became of them."""
    family.synced()
    by(family, "Ada", "Ada's way", {"training/train.py": "ada\n"})
    by(family, "Bob", "Bob's way", {"training/train.py": "bob\n"})
    by(family, "Ada", "Another file", {"training/model.py": text(l3="ada")})
    other = family.clone.git("commit-tree", "-m", "Another root", "HEAD^{tree}")
    family.clone.git("reset", "-q", "--soft", other)
    family.push()
    family.commit("The source's way", {"core/src/train.py": "source\n"})
    settled(family, {"training/train.py": "both\n"})
    made = imported(family)
    assert made[0] == "Ada: Another file"
    assert len(made) == 2
    message = family.clone.git("log", "-1", "--format=%B", "import/space")
    assert [line[13:] for line in message.splitlines() if line.startswith("* ")] == ["Ada's way", "Bob's way"]
    assert "Co-authored-by: Ada <ada@example.org>\nCo-authored-by: Bob <bob@example.org>" in message
    comes_to_rest(family)


def test_an_import_stops_at_the_first_commit_that_does_not_apply_and_names_what_arrived(family: Family) -> None:
    family.synced()
    by(family, "Ada", "First", {"training/model.py": text(l3="one")})
    assert imported(family) == ["Ada: First"]
    line = family.clone.git("log", "-1", "--format=%B", "import/space").splitlines()[-1]
    family.clone.git("branch", "-q", "-D", "import/space")
    family.commit(f"Taken over, and better\n\n{line}", {"core/src/model.py": text(l3="better")})
    by(family, "Bob", "Second", {"training/train.py": "bob\n"})
    by(family, "Ada", "Third", {"training/model.py": text(l3="worse")})
    by(family, "Bob", "Fourth", {"training/train.py": "bob again\n"})
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, family.clone.log("main..import/space", form="%an: %s")) == (0, ["Bob: Second"])
    assert "It stops before what does not go together with what the source has by now:" in done.out
    assert [row.split()[-1] for row in done.out.splitlines() if row.endswith(("Third", "Fourth"))] == [
        "Third",
        "Fourth",
    ]


def test_what_was_undone_and_made_anew_comes_home_as_it_is(family: Family) -> None:
    def tool(*args: str) -> None:
        done = family.run(*args, "--yes", cwd=family.clone.path)
        assert done.code == 0, (done.out, done.err)

    family.edit("Copy", {"training/model.py": text(), "training/train.py": "train\n", "configs/small.json": "{}\n"})
    family.edit("Tune", {"training/model.py": text(l3="tuned")})
    tool("adopt", "space")
    first = family.space.tip("main")
    family.edit("Large", {"configs/big.json": text(l8="large"), "training/train.py": "slower\n"})
    tool("undo")
    tool("adopt", "space", "--at", family.clone.tip("main"))
    family.edit("Larger", {"configs/big.json": text(l8="larger")})
    tool("rollback", "space", "--to", first)
    family.edit("Largest", {"configs/big.json": text(l11="largest")})
    tool("rollback", "space", "--lift")

    assert imported(family)[-1] == "Test User: Largest"
    changed = family.clone.git("diff", "--name-only", "main", "import/space").split()
    assert changed == ["configs/big.json", "core/src/model.py"]
    assert family.clone.read("configs/big.json", "import/space") == text(l11="largest").encode()
    comes_to_rest(family)


@BOTH
def test_an_edit_keeps_its_author_when_the_source_renamed_its_file(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.commit("Manifest")
    family.synced()
    by(family, "Tom", "Tune", {"training/model.py": text(l20="tuned")})
    family.commit("Rename it", {"core/src/model.py": None, "core/src/network.py": text(l1="renamed")})
    family.synced()
    assert family.space.read("training/network.py") == text(l1="renamed", l20="tuned").encode()
    shown = family.run("status", cwd=family.clone.path)
    assert "changed 1 mapped file by itself (1 commit)" in " ".join(shown.out.split())
    by(family, "Ann", "Tune more", {"training/network.py": text(l1="renamed", l10="more", l20="tuned")})

    found = imported(family)
    assert [one for one in found if not one.endswith("what space changed")] == ["Tom: Tune", "Ann: Tune more"]
    assert (
        family.clone.read("core/src/network.py", "import/space") == text(l1="renamed", l10="more", l20="tuned").encode()
    )
    assert "core/src/model.py" not in family.clone.paths("import/space")
    comes_to_rest(family)
