"""`init` on a terminal: few questions, each with a proposal that Enter takes."""

from __future__ import annotations

import pytest

from openllm_repos.manifest import Manifest
from tests.support.hosts import SOURCE_FILES, SPACE, Hosts
from tests.support.process import Result
from tests.support.terminal import run_on_terminal


def asked(hosts: Hosts, *answers: str) -> Result:
    """Run init on a terminal and type these answers, a line each; then the input ends."""
    typed = "".join(f"{answer}\n" for answer in answers).encode()
    return run_on_terminal("init", cwd=hosts.clone.path, typed=typed + b"\x04")


def test_enter_takes_every_proposal(hosts: Hosts) -> None:
    copied = {"training/model.py": SOURCE_FILES["core/src/model.py"], "app.py": "app\n"}
    hosts.hub(f"spaces/{SPACE}", copied)
    hosts.clone.git("remote", "add", "hf", f"git@hf.co:spaces/{SPACE}")
    hosts.clone.git("config", "url.file:///.insteadOf", "none:")
    hosts.clone.git("config", f"url.{hosts.folder.as_uri()}/hub/.insteadOf", "git@hf.co:")
    done = asked(hosts, "", "", "", "", "", "", "", "n")
    assert done.code == 1, done.out
    assert "The source: louischua/openllm" in done.out
    assert f"The Space (owner/name) [{SPACE}]:" in done.out
    assert "core/src/*.py [training/]:" in done.out
    assert "Never leaves the source [data/ docs/ exports/ tests/]:" in done.out
    assert "Only the Space writes [app.py]:" in done.out
    assert "Write this to repos.toml, and add the git remotes? [Y/n]:" in done.out
    read = Manifest.parse(hosts.manifest())
    assert read.target("space").maps[0].written_to == "training/"
    assert set(hosts.remotes()) == {"origin", "hf"}  # the person's own is as good as one of ours


@pytest.mark.slow
def test_other_answers_than_those_proposed(hosts: Hosts) -> None:
    hosts.hub(f"spaces/{SPACE}")
    hosts.hub("lemms/small")
    hosts.hub("datasets/lemms/text")
    done = asked(hosts, SPACE, "lemms/small", "lemms/text", "lib/", "-", "-", "data/, docs/", "y", "n")
    assert done.code == 1, done.out
    read = Manifest.parse(hosts.manifest())
    assert [str(repo.name) for repo in read.repos] == ["main", "space", "small", "text"]
    assert [(entry.source.text, entry.written_to) for entry in read.target("space").maps] == [("core/src/*.py", "lib/")]
    assert read.target("space").owned == ()
    assert [pattern.text for pattern in read.project.never] == ["data/", "docs/"]


def test_an_answer_that_cannot_be_read_is_asked_for_again(hosts: Hosts) -> None:
    hosts.hub(f"spaces/{SPACE}")
    answers = (
        "openllm",
        f"https://huggingface.co/{SPACE}",
        SPACE,
        "-",
        "-",
        "../out",
        "-",
        "-",
        "-",
        "/",
        "-",
        "y",
        "n",
    )
    done = asked(hosts, *answers)
    assert done.code == 1, done.out
    assert "'openllm' is not a repository id" in done.out
    assert f"--model {SPACE}" in done.out
    assert "climbs out" in done.out
    assert Manifest.parse(hosts.manifest()).targets == ()


def test_no_writes_nothing(hosts: Hosts) -> None:
    done = asked(hosts, "-", "-", "-", "", "n")
    assert (done.code, "Nothing was written." in done.out) == (1, True)
    assert not (hosts.clone.path / "repos.toml").exists()
    assert set(hosts.remotes()) == {"origin"}


@pytest.mark.slow
def test_a_space_that_does_not_answer_can_be_written_down_all_the_same(hosts: Hosts) -> None:
    refused = asked(hosts, "lemms/not-yet", "-", "-", "n")
    assert refused.code == 130
    assert "space lemms/not-yet does not answer" in refused.out
    assert not (hosts.clone.path / "repos.toml").exists()
    taken = asked(hosts, "lemms/not-yet", "-", "-", "y", "", "", "", "", "y")
    assert taken.code == 30, taken.out
    assert "error: space is unreachable" in taken.out  # no further than this
    assert 'space = "lemms/not-yet"' in hosts.manifest()


def test_without_origin_the_source_is_asked_for_first(hosts: Hosts) -> None:
    hosts.clone.git("remote", "remove", "origin")
    done = asked(hosts, "louischua/openllm", "-", "-", "-", "", "", "n")
    assert done.code == 1, done.out
    assert "The source on GitHub (owner/name):" in done.out
    assert 'github = "louischua/openllm"' in hosts.manifest()


@pytest.mark.slow
def test_yes_asks_nothing(hosts: Hosts) -> None:
    done = run_on_terminal("init", "--yes", cwd=hosts.clone.path)
    assert (done.code, "?" in done.out) == (0, False)
