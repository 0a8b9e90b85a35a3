"""Two releases compared, the notes of one, and how to get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fingerprint import listing
from tests.support.inprocess import RunCli, run_in_process
from tests.support.process import Result
from tests.support.releases import MEMBERS, Releases
from tests.support.repositories import ADA, Clone


def _two_releases(folder: Path, run_cli: RunCli) -> Releases:
    """Make a family with the releases 1.0.0 and 1.1.0; between them people worked here and there."""
    made = Releases.make(folder, run_cli)
    made.released("1.0.0")
    made.clone.commit("Train *faster*", {"core/src/train.py": "faster\n"}, author=ADA)
    made.clone.commit("Explain", {"docs/guide.md": "more\n"})
    made.clone.commit("Both", {"docs/guide.md": "most\n", "core/src/model.py": "model 2\n"})
    work = Clone.of(made.remotes["space"].url, made.folder / "space-work")
    work.now = made.clone.now
    work.commit("My own page", {"app.py": "app\n"})
    work.git("push", "-q", "origin", "HEAD:main")
    made.member("small-7k", "Train longer", {"config.json": "{}"})
    run_cli("version", "set", "1.1.0", cwd=made.clone.path)
    made.commit("Raise the version")
    made.released("1.1.0")
    return made


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Return the two releases, for tests that only look at them."""
    folder = tmp_path_factory.mktemp("releases")

    def run(*args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result:
        return run_in_process(*args, cwd=cwd or folder, data=data)

    return _two_releases(folder / "family", run)


@pytest.fixture
def mine(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return two releases of the test's own, to go on from."""
    return _two_releases(tmp_path / "family", run_cli)


@pytest.mark.slow
def test_what_changed_between_two_releases(releases: Releases) -> None:
    before = listing(releases.folder)
    done = releases.release("diff", "v1.0.0", "1.1.0")
    assert (done.code, done.err) == (0, "")
    old, new = releases.tags("v1.0.0"), releases.tags("v1.1.0")

    def moved(name: str) -> str:
        return f"{str(old[name])[:10]} → {str(new[name])[:10]}"

    lines = done.out.splitlines()
    assert lines[0] == f"main           changed, 4 commits  {moved('main')}"
    assert [line.split(maxsplit=1)[1] for line in lines[1:5]] == [
        "Raise the version",
        "Both",
        "Explain",
        "Train *faster*",
    ]
    assert lines[5] == f"space          changed, 3 commits  {moved('space')}"
    assert {line.split(maxsplit=1)[1] for line in lines[6:9]} == {"My own page", "Both", "Train *faster*"}
    assert lines[9:] == [
        f"small-7k       changed  {moved('small-7k')}",
        "small-8k       same",
        "training-data  same",
    ]
    facts = releases.release("diff", "v1.0.0", "v1.1.0", "--json").json()
    assert facts["repos"][0]["commits"][2]["paths"] == ["docs/guide.md"]
    assert facts["repos"][2]["commits"] is None, "nobody fetches the history of a model for this"
    assert listing(releases.folder) == before


@pytest.mark.slow
def test_a_repo_may_come_and_go(mine: Releases) -> None:
    text = (mine.clone.path / "repos.toml").read_text()
    gone = f'[repos.small-8k]\nurl = "{mine.urls["small-8k"]}"\n'
    new = gone.replace("small-8k]", "medium]")
    assert gone in text
    mine.clone.write({"repos.toml": text.replace(gone, new)})
    mine.run("version", "set", "1.2.0", cwd=mine.clone.path)
    mine.commit("Rename a model")
    assert mine.release("1.2.0").code == 0
    lines = mine.release("diff", "1.1.0", "1.2.0").out.splitlines()
    commit = mine.remotes["small-8k"].tip("main")[:10]
    assert f"medium         added  - → {commit}" in lines
    assert f"small-8k       removed  {commit} → -" in lines
    notes = mine.release("notes", "1.2.0").out
    assert "| [medium](" in notes
    assert "| new |" in notes
    assert "| no longer part of it |" in notes


def test_a_release_is_not_compared_with_itself(releases: Releases) -> None:
    done = releases.release("diff", "1.1.0", "v1.1.0")
    assert done.code == 2
    assert "v1.1.0 is the same release twice." in done.err


def test_notes_group_commits_by_the_folders_that_are_carried(releases: Releases) -> None:
    done = releases.release("notes", "v1.1.0")
    assert (done.code, done.err) == (0, "")
    headings = [line for line in done.out.splitlines() if line.startswith("#")]
    assert headings == [
        "# openllm 1.1.0",
        "## core/src/\\*.py → space",
        "## Elsewhere",
        "## Only in space",
        "## The family",
    ]
    sections = dict(part.split("\n\n", 1) for part in done.out.split("\n## ")[1:])
    both, faster = (releases.clone.git("rev-parse", f"main^{{/{word}}}")[:10] for word in ("Both", "Train"))
    assert sections["core/src/\\*.py → space"].strip().splitlines() == [
        f"- Both (`{both}`, Test User)",
        f"- Train \\*faster\\* (`{faster}`, Ada Lovelace)",
    ]
    assert [line.partition(" (")[0] for line in sections["Elsewhere"].strip().splitlines()] == [
        "- Raise the version",
        "- Explain",
    ]
    assert sections["Only in space"].startswith("- My own page (")
    table = sections["The family"].splitlines()
    old, new = releases.tags("v1.0.0")["small-7k"], releases.tags("v1.1.0")["small-7k"]
    assert (
        f"| [small-7k]({releases.urls['small-7k']}) | `v1.1.0` | `{str(new)[:10]}` | was `{str(old)[:10]}` |" in table
    )
    assert releases.release("notes", "1.1.0", "--since", "1.0.0").out == done.out


def test_notes_of_the_first_release(releases: Releases) -> None:
    lines = releases.release("notes", "1.0.0").out.splitlines()
    assert lines[:3] == ["# openllm 1.0.0", "", "Tag `v1.0.0`, the first release."]
    assert [line.split("|")[-2].strip() for line in lines[-5:]] == ["new"] * 5


@pytest.mark.slow
def test_notes_of_a_version_tell_all_since_the_last_one_and_not_since_its_candidate(mine: Releases) -> None:
    for version in ("1.2.0rc1", "1.2.0rc2", "1.2.0"):
        mine.clone.git("pull", "-q", "--ff-only", "origin", "main")
        mine.run("version", "set", version, cwd=mine.clone.path)
        mine.commit(f"Raise the version to {version}")
        mine.released(version)
    after = {
        version: mine.release("notes", version).out.splitlines()[2] for version in ("1.2.0rc1", "1.2.0rc2", "1.2.0")
    }
    assert after == {
        "1.2.0rc1": "Tag `v1.2.0rc1`, after `v1.1.0`.",
        "1.2.0rc2": "Tag `v1.2.0rc2`, after `v1.2.0rc1`.",
        "1.2.0": "Tag `v1.2.0`, after `v1.1.0`.",
    }
    since = mine.release("notes", "1.2.0", "--since", "1.2.0rc2").out
    assert "Raise the version to 1.2.0 (" in since
    assert "rc1 (" not in since
    assert "main           changed, 1 commit  " in mine.release("diff", "1.2.0rc2", "1.2.0").out


def test_checkout_says_how_to_get_every_repo(releases: Releases) -> None:
    done = releases.run("checkout", "1.0.0", cwd=releases.clone.path)
    tags = releases.tags("v1.0.0")
    assert done.code == 0
    assert done.out.splitlines()[:5] == [
        "# openllm 1.0.0",
        f"# main at {tags['main']}",
        f"git clone --branch v1.0.0 {releases.urls['main']} openllm",
        f"# space at {tags['space']}",
        f"git clone --branch v1.0.0 {releases.urls['space']} space",
    ]
    facts = releases.run("checkout", "1.0.0", "--json", cwd=releases.clone.path).json()
    assert {repo["name"]: repo["commit"] for repo in facts["repos"]} == {
        name: tags[name] for name in ("main", "space", *MEMBERS)
    }
    for repo in facts["repos"][:2]:
        words = repo["command"].split()
        got = Clone.of(words[4], releases.folder / "got" / repo["name"], *words[2:4])
        assert got.tip() == repo["commit"]


def test_any_clone_can_compare_and_fetches_what_it_lacks(releases: Releases) -> None:
    fresh = Clone.of(releases.remotes["main"].url, releases.folder / "fresh")
    before = listing(fresh.path)
    done = releases.run("release", "diff", "1.0.0", "1.1.0", cwd=fresh.path)
    assert done.out == releases.release("diff", "1.0.0", "1.1.0").out
    assert listing(fresh.path) == before
    releases.remotes["space"].path.rename(releases.folder / "away")
    done = releases.run("release", "diff", "1.0.0", "1.1.0", cwd=fresh.path)
    (line,) = (line for line in done.out.splitlines() if line.startswith("space"))
    assert " commits" not in line, "without the Space nobody can tell them"
