"""docs/json.md is complete: every key that a command prints with --json is named in its section."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.published import Publishing
from tests.support.releases import Releases
from tests.support.repositories import Clone
from tests.support.served import PNG, ServedFamily, login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openllm_repos.sandbox import Sandbox
    from tests.support.family import Family
    from tests.support.inprocess import RunCli
    from tests.support.process import Result
    from tests.support.sealed import SealedHome

PAGE = (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8")
SECTIONS = {
    heading.split(" --json")[0]: text
    for heading, text in re.findall(r"^## `openllm-repos ([^`]*)`.*\n((?:(?!## ).*\n?)*)", PAGE, re.MULTILINE)
}
AS_IN = {
    "undo": ["sync", "status", "log"],
    "pin": ["status"],
    "sync": ["status"],
    "diff": ["sync", "status"],
    "adopt": ["sync", "status"],
    "release": ["sync", "status"],
    "rollback": ["sync", "status"],
}
EVERYWHERE = {"schema", "next"}  # the page begins with them


def named(command: str) -> set[str]:
    """Return the words that stand as code in a command's section, and in those that it points to."""
    texts = [SECTIONS[name] for name in (command, *AS_IN.get(command, []))]
    spans = [span for text in texts for span in re.findall(r"`([^`]+)`", text)]
    return EVERYWHERE | {word for span in spans for word in re.split(r"\W+", span)}


def keys(facts: Any) -> Iterator[str]:
    """Yield every key of an answer, at any depth."""
    if isinstance(facts, dict):
        yield from facts
        facts = list(facts.values())
    for entry in facts if isinstance(facts, list) else []:
        yield from keys(entry)


def unnamed(command: str, done: Result) -> set[str]:
    """Return the keys of an answer that the page does not name."""
    found = set(keys(done.json()))
    assert len(found) > 3, found
    return found - named(command)


def test_a_family_that_diverged(family: Family, run_cli: RunCli) -> None:
    def answer(*args: str) -> Result:
        return run_cli(*args, "--json", cwd=family.clone.path)

    family.synced()
    family.edit("Theirs", {"training/train.py": "theirs\n"})
    family.commit("Ours", {"core/src/new.py": "new\n"})
    imports = (("import", "space", "--dry-run"), ("import", "space"))
    for args in (*imports, ("status",), ("diff",), ("sync", "--dry-run"), ("sync", "--yes"), ("remotes",), ("doctor",)):
        assert (args, unnamed(args[0], answer(*args))) == (args, set())
    assert unnamed("manifest show", answer("manifest", "show")) == set()
    assert unnamed("targets", answer("targets")) == set()
    for line in ("log", "gc --older-than 90d --dry-run", "undo --dry-run", "undo --yes"):
        assert (line, unnamed(line.split()[0], answer(*line.split()))) == (line, set())
    family.synced()
    family.edit("Theirs", {"training/new.py": "theirs\n"})
    family.commit("Ours", {"core/src/new.py": "ours\n"})
    for command in ("diff", "sync --yes"):
        assert unnamed(command.split()[0], answer(*command.split())) == set()
    back: tuple[str, ...] = ("--to", "HEAD~2")
    for how in ((*back, "--dry-run"), back, back, ("--lift",)):
        assert (how, unnamed("rollback", answer("rollback", "space", "--yes", *how))) == (how, set())


def test_a_space_that_was_filled_by_copying(family: Family, run_cli: RunCli) -> None:
    family.edit("Copied", {"training/train.py": "train\n", "configs/small.json": "{}\n"})
    for args in (("adopt", "space", "--dry-run"), ("adopt", "space", "--yes"), ("adopt", "space", "--yes")):
        assert unnamed("adopt", run_cli(*args, "--json", cwd=family.clone.path)) == set()


def test_what_the_hub_would_refuse(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome) -> None:
    login(home, sandbox)
    hub = ServedFamily.on(sandbox, tmp_path / "family", run_cli)
    hub.manifest(maps=(("core/src/", "training/"),))
    hub.commit("Logo", {"core/src/logo.png": PNG})
    done = hub.sync("--dry-run", "--json")
    assert [finding["rule"] for finding in done.json()["targets"][0]["findings"]] == ["binary"]
    assert unnamed("sync", done) == set()


def test_a_release_and_what_is_asked_of_it_afterwards(tmp_path: Path, run_cli: RunCli) -> None:
    releases = Releases.make(tmp_path / "releases", run_cli)

    def answer(*args: str) -> Result:
        return run_cli(*args, "--json", cwd=releases.clone.path)

    assert unnamed("version", answer("version")) == set()
    assert unnamed("release", answer("release", "1.0.0", "--dry-run")) == set()
    assert unnamed("release", answer("release", "1.0.0", "--yes")) == set()
    assert run_cli("version", "set", "1.1.0", cwd=releases.clone.path).code == 0
    releases.commit("Raise the version")
    releases.released("1.1.0")
    for section, args in {
        "release list": ("release", "list"),
        "release show": ("release", "show", "v1.0.0"),
        "release diff": ("release", "diff", "v1.0.0", "v1.1.0"),
        "checkout": ("checkout", "v1.0.0"),
        "hooks status": ("hooks", "status"),
    }.items():
        assert (section, unnamed(section, answer(*args))) == (section, set())
    assert unnamed("release list", answer("release", "verify")) == set()


def test_a_workflow(clone: Clone, run_cli: RunCli) -> None:
    clone.write({"repos.toml": (Path(__file__).parents[2] / "repos.toml").read_text(encoding="utf-8")})
    for args in (("ci", "--check"), ("ci", "--install", f"openllm-repos==1 --hash=sha256:{'0' * 64}")):
        assert unnamed("ci", run_cli(*args, "--json", cwd=clone.path)) == set()


def test_artifacts_that_arrive_clash_and_look_like_secrets(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli) -> None:
    publishing = Publishing.on(sandbox, tmp_path / "family", run_cli)
    assert unnamed("publish", publishing.publish("--json")) == set()
    publishing.write({"exports/small/.netrc": b"", "data/clean/train.jsonl": b"{}\n"})
    work = Clone.of(publishing.dataset.url, tmp_path / "work")
    work.commit("By hand", {"data/train.jsonl": "[]\n"})
    work.push(publishing.dataset.url)
    done = publishing.publish("--json", code=3)
    assert [len(repo["conflicts"] + repo["problems"]) for repo in done.json()["repos"]] == [1, 1]
    assert unnamed("publish", done) == set()
