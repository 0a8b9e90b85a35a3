"""`openllm-repos import`: what was changed in the Space comes home, with its author's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.family import text

if TYPE_CHECKING:
    from tests.support.family import Family
    from tests.support.process import Result

HISTORIES = pytest.mark.parametrize("history", ["full", "squash"])


def bring(family: Family, *args: str) -> Result:
    """Run an import that must work."""
    done = family.run("import", "space", *args, cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    return done


def state(family: Family) -> str:
    """Return how the Space stands, as status says."""
    found = family.run("status", "--json", cwd=family.clone.path).json()["repos"]
    return next(str(repo["state"]) for repo in found if repo["name"] == "space")


def merged(family: Family, branch: str = "import/space") -> None:
    """Merge the branch into main and push it, as a person does."""
    family.clone.git("merge", "-q", "--no-edit", branch)
    family.push()


@HISTORIES
def test_a_hotfix_made_in_the_space_comes_home_with_its_authors_name(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    start = family.clone.tip()
    hotfix = family.edit(
        "Stop at the end\n\nIt read on.\n\nSigned-off-by: Grace <g@example.org>",
        {"training/train.py": "fixed\n", "app.py": "print(1)\n"},
    )
    family.commit("Meanwhile", {"core/src/model.py": text(l3="three")})
    assert state(family) == "diverged"
    before = family.clone.tip()
    done = bring(family)
    assert family.clone.tip() == before
    assert family.clone.git("status", "--porcelain") == ""
    assert f"{hotfix[:10]} " in done.out
    clone = family.clone
    assert clone.parents("import/space") == [start]
    assert clone.git("diff", "--name-only", start, "import/space") == "core/src/train.py"
    assert clone.git("log", "-1", "--format=%B", "import/space").splitlines()[-2:] == [
        "Signed-off-by: Grace <g@example.org>",
        f"Imported-From: {family.space.url}@{hotfix}",
    ]
    people = "%an %ae %ad %cn %ce %cd"
    assert clone.log("import/space", "-1", form=people) == family.space.log(hotfix, "-1", form=people)
    again = bring(family)
    assert "already at" in again.out
    merged(family)
    assert state(family) == "behind"
    assert "Nothing to import" in bring(family).out
    own = family.space.files()
    family.synced()
    assert family.space.files() == {**own, "training/model.py": text(l3="three").encode()}
    assert state(family) == "in sync"
    assert "Nothing to import" in bring(family).out
    assert "up to date" in family.synced().out
