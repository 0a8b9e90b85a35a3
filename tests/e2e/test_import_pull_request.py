"""`openllm-repos import --pr`: the branch on GitHub, and a pull request where a token allows it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.github.pulls import api_of
from openllm_repos.sandbox.lfs import place
from tests.support.hub_family import SOURCE
from tests.support.repositories import GRACE
from tests.support.served import LFS_LINE, pointer
from tests.support.shim import Fault

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.canary import Canary
    from tests.support.hub_family import HubFamily
    from tests.support.process import Result, RunTool
    from tests.support.sealed import SealedHome
    from tests.support.shim import GitShim


def hotfix(family: HubFamily) -> str:
    """Sync, and mend something in the Space as Grace does."""
    family.synced()
    work = family.work
    made = work.commit("Stop at the end", {"training/train.py": "fixed\n"}, author=GRACE)
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    return made


def ask(family: HubFamily, *args: str) -> Result:
    return family.run("import", "space", "--pr", "--yes", *args, cwd=family.clone.path)


def test_a_pull_request_is_opened_once(hub_family: HubFamily, sandbox: Sandbox) -> None:
    made = hotfix(hub_family)
    done = ask(hub_family)
    assert done.code == 0, (done.out, done.err)
    link = f"{sandbox.github.url}/{SOURCE}/pull/1"
    assert done.out.splitlines()[-1] == f"Pull request: {link}"
    assert hub_family.origin.tip("import/space") == hub_family.clone.tip("import/space")
    assert hub_family.origin.log("import/space", "-1", form="%an %s") == ["Grace Hopper Stop at the end"]
    assert hub_family.clone.tip("refs/remotes/main/import/space") == hub_family.clone.tip("import/space")
    again = ask(hub_family, "--json").json()
    assert (again["moved"], again["published"]["pushed"]) == (False, False)
    assert (again["published"]["link"], again["published"]["opened"]) == (link, True)
    (pull,) = sandbox.github.repo("github", SOURCE).facts().pulls
    assert (pull["title"], pull["base"]["ref"]) == ("Stop at the end", "main")
    assert f"    {made[:10]} Stop at the end\n" in pull["body"]
    hub_family.edit("Another", {"training/train.py": "fixed more\n"})
    assert ask(hub_family).code == 0
    assert len(hub_family.origin.log("main..import/space")) == 2
    assert not hub_family.unfinished()


@pytest.mark.slow
def test_without_a_token_the_link_is_said(
    hub_family: HubFamily, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, home: SealedHome
) -> None:
    hotfix(hub_family)
    monkeypatch.delenv("GITHUB_TOKEN")
    host = sandbox.github.url
    home.set(f"credential.{host}.helper", "!f() { echo username=x; echo password=gh_write; }; f")
    done = ask(hub_family)
    assert done.code == 0, (done.out, done.err)
    assert done.out.splitlines()[-1] == (
        f"Open the pull request: {sandbox.github.url}/{SOURCE}/compare/main...import/space?expand=1"
    )


@pytest.mark.slow
def test_a_token_that_may_not_open_one_is_no_reason_to_fail(hub_family: HubFamily, sandbox: Sandbox) -> None:
    hotfix(hub_family)
    sandbox.github.fault(match="POST */pulls", status=403)
    done = ask(hub_family)
    assert done.code == 0, (done.out, done.err)
    assert "note: No pull request was opened: GitHub said 403" in done.out
    assert "/compare/main...import/space?expand=1" in done.out
    sandbox.github.fault(match="GET */pulls", cut=True)
    done = ask(hub_family)  # what may pass is tried again
    assert "/pull/1" in done.out


@pytest.mark.slow
def test_a_branch_of_others_is_left_alone(hub_family: HubFamily) -> None:
    hotfix(hub_family)
    hub_family.clone.push(hub_family.origin.url, "main:refs/heads/import/space")
    hub_family.clone.switch("theirs", at="main")
    hub_family.clone.commit("Theirs", {"docs/theirs.md": "theirs\n"})
    hub_family.clone.push(hub_family.origin.url, "theirs:refs/heads/import/space")
    hub_family.clone.switch("main")
    theirs = hub_family.clone.tip("theirs")
    done = ask(hub_family)
    assert (done.code, hub_family.origin.tip("import/space")) == (3, theirs)
    assert "main has a branch import/space already" in done.err


@pytest.mark.slow
def test_a_push_that_is_refused_leaves_the_branch_here(hub_family: HubFamily, sandbox: Sandbox) -> None:
    hotfix(hub_family)
    sandbox.github.fault(match="* */git-receive-pack", status=403)
    done = ask(hub_family)
    assert done.code == 3
    assert "The branch is in this clone, but main did not take it" in done.err
    assert hub_family.clone.tip("import/space")
    assert not hub_family.unfinished()
    assert ask(hub_family).code == 0


@pytest.mark.slow
def test_an_answer_that_is_lost_is_asked_for_again(hub_family: HubFamily, sandbox: Sandbox) -> None:
    hotfix(hub_family)
    sandbox.github.fault(match="POST */git-receive-pack", lose_answer=True)
    done = ask(hub_family)
    assert done.code == 0, (done.out, done.err)
    assert hub_family.origin.tip("import/space") == hub_family.clone.tip("import/space")


@pytest.mark.slow
def test_the_token_reaches_github_alone(hub_family: HubFamily, canary: Canary) -> None:
    hotfix(hub_family)
    done = ask(hub_family)
    assert done.code == 0, (done.out, done.err)
    assert "/pull/1" in done.out
    assert canary.leaks(hub_family.clone.path, said=[done]) == []


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
def test_content_in_lfs_comes_along(hub_family: HubFamily, sandbox: Sandbox) -> None:
    hub_family.manifest(maps=(("core/src/", "training/"),))
    hub_family.commit("LFS", {".gitattributes": LFS_LINE})
    hub_family.synced()
    content = bytes(range(256)) * 40
    name = hashlib.sha256(content).hexdigest()
    hub_family.edit("Weights", {"training/model.bin": pointer(content)})
    kept = place(sandbox.hub.large_files, name)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(content)
    done = ask(hub_family)
    assert done.code == 0, (done.out, done.err)
    assert "note: 1 LFS file among them" in done.out
    assert place(sandbox.github.large_files, name).read_bytes() == content


def test_a_source_that_is_not_on_github_has_no_pull_requests(family: HubFamily) -> None:
    hotfix(family)
    done = ask(family)
    assert done.code == 2
    assert "main is not on GitHub" in done.err


@pytest.mark.parametrize(
    ("server", "named", "api"),
    [
        ("https://github.com", "", "https://api.github.com"),
        ("https://github.com", "https://api.github.com/", "https://api.github.com"),
        ("https://git.example.org", "", "https://git.example.org/api/v3"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80/api/v3", "http://127.0.0.1:80/api/v3"),
    ],
)
def test_where_the_api_is(server: str, named: str, api: str) -> None:
    assert api_of(server, {"GITHUB_API_URL": named}) == api


@pytest.mark.parametrize(
    "named", ["https://evil.example", "http://api.github.com", "https://x:y@api.github.com", "https://notgithub.com"]
)
def test_an_api_elsewhere_gets_no_token(named: str) -> None:
    with pytest.raises(UsageError, match="does not belong to"):
        api_of("https://github.com", {"GITHUB_API_URL": named})


@pytest.mark.slow
def test_a_push_that_was_killed_is_noticed_and_finished(
    hub_family: HubFamily, shim: GitShim, run_tool: RunTool
) -> None:
    hotfix(hub_family)
    args = ("import", "space", "--pr", "--yes")
    hub_family.run("import", "space", cwd=hub_family.clone.path)
    shim.disarm()
    assert run_tool(*args, cwd=hub_family.clone.path).code == 0
    pushes = [number for number, call in enumerate(shim.calls(), 1) if " push --porcelain" in call]
    hub_family.origin.git("update-ref", "-d", "refs/heads/import/space")
    shim.arm(pushes[0], Fault.KILL_AFTER)
    assert run_tool(*args, cwd=hub_family.clone.path).code == -9
    shim.disarm()
    assert len(hub_family.unfinished()) == 1
    done = run_tool(*args, cwd=hub_family.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert "main: an earlier import space did not end; its push landed" in done.err
    assert not hub_family.unfinished()
    assert hub_family.origin.tip("import/space") == hub_family.clone.tip("import/space")
