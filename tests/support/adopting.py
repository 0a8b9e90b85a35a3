"""A Space that somebody filled by copying, and its adoption."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family
    from tests.support.process import Result

APP = {"app.py": "app\n", "README.md": "card\n", "requirements.txt": "torch\n"}


def copied(family: Family, rev: str = "HEAD") -> dict[str, bytes]:
    """Return the files of a source commit at their places in the Space, as somebody copies them by hand."""
    files = family.clone.files(rev)
    there = {path.replace("core/src/", "training/"): data for path, data in files.items()}
    return {path: data for path, data in there.items() if path.startswith(("training/", "configs/"))}


def adopt(family: Family, *args: str | Path) -> Result:
    """Run `openllm-repos adopt space` in the clone."""
    return family.run("adopt", "space", *args, cwd=family.clone.path)


def adopted(family: Family, *args: str | Path) -> Result:
    """Adopt the Space, which must work, and check what is true after any adoption."""
    before, files = family.space.tip("main"), family.space.files()
    done = adopt(family, "--yes", *args)
    assert done.code == 0, (done.out, done.err)
    family.space.fsck()
    assert not family.unfinished()
    assert family.space.parents("main")[0] == before
    assert family.space.files() == files
    return done


def state(family: Family) -> str:
    """Return what `status` says of the Space."""
    repos = family.run("status", "--json", cwd=family.clone.path).json()["repos"]
    return str(next(repo["state"] for repo in repos if repo["name"] == "space"))
