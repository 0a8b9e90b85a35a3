"""Remotes as they are: https, ssh, moving, refusing, silent, dead, and busy with somebody else."""

from __future__ import annotations

import functools
import time
from pathlib import Path

import pytest

from openllm_repos.family import remotes
from openllm_repos.sync import planning
from tests.support.family import Family, text
from tests.support.inprocess import RunCli
from tests.support.process import RunTool
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome
from tests.support.server import GitServer
from tests.support.ssh import FakeSsh

HUB = "https://huggingface.co/"
SPACE = "spaces/lemms/openllm"


@pytest.fixture
def hub(tmp_path: Path, run_cli: RunCli, server: GitServer, home: SealedHome) -> Family:
    """Return a family whose Space is on a hub that stands on this machine; the manifest has the real address."""
    home.instead_of(HUB, server.url(""))
    made = Family.make(tmp_path / "family", run_cli, space=server.create(SPACE))
    made.urls["space"] = HUB + SPACE
    made.manifest()
    made.commit("On the hub")
    return made


@pytest.mark.slow
def test_over_https_with_the_real_address_in_the_manifest(
    tmp_path: Path, run_cli: RunCli, server: GitServer, home: SealedHome
) -> None:
    home.instead_of(HUB, server.https_url(""))
    home.instead_of("https://github.com/", server.https_url("github/"))
    family = Family.make(
        tmp_path / "family", run_cli, origin=server.create("github/louischua/openllm"), space=server.create(SPACE)
    )
    family.urls.update(main="https://github.com/louischua/openllm", space=HUB + SPACE)
    family.manifest()
    family.commit("Real addresses")
    family.edit("My Space", {"app.py": "app\n"})
    done = family.synced()
    assert f"space: synced, now at {family.space.tip('main')[:10]}: {HUB}{SPACE}" in done.out
    assert family.space.trailers("main")["Source-Repo"] == "https://github.com/louischua/openllm"
    assert server.pushes() == [SPACE]
    assert "up to date" in family.synced().out
    assert server.pushes() == [SPACE]


def test_over_ssh_by_the_persons_own_remote(tmp_path: Path, run_cli: RunCli, ssh: FakeSsh) -> None:
    space = Bare.init(ssh.root / SPACE)
    family = Family.make(tmp_path / "family", run_cli, space=space)
    family.urls["space"] = HUB + SPACE
    family.manifest()
    family.commit("On the hub")
    family.clone.git("remote", "add", "hf", f"ssh://git@hf.co/{SPACE}")
    family.synced()
    assert "training/model.py" in space.paths()
    assert family.clone.tip("refs/remotes/hf/main") == space.tip("main")
    assert "up to date" in family.synced().out


def test_a_target_with_a_dangerous_name_in_its_history_is_not_fetched(family: Family) -> None:
    family.synced()
    tree = family.space.tip("main") + "^{tree}"
    rows = family.space.git("ls-tree", tree) + f"\n040000 tree {family.space.git('rev-parse', 'main:training')}\t.git\n"
    evil = family.space.git("mktree", data=rows.encode())
    family.space.git("update-ref", "refs/heads/main", family.space.git("commit-tree", evil, "-p", "main", "-m", "Evil"))
    done = family.sync()
    assert done.code == 30
    assert "space is unreachable: its commits could not be fetched: object " in done.out
    assert "hasDotgit" in done.out
    assert f"fetch {family.space.url} {family.space.tip('main')}" in done.out


def test_an_ssh_key_that_is_not_known_is_told(family: Family, ssh: FakeSsh) -> None:
    family.urls["space"] = ssh.url("space.git")
    family.manifest()
    family.commit("Over ssh")
    ssh.deny()
    done = family.sync()
    assert done.code == 30
    assert "space is unreachable" in done.out
    assert "hint: " in done.out


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before_offer", "before_push"])
def test_a_space_that_moved_meanwhile_is_merged_again(hub: Family, server: GitServer, moment: str) -> None:
    hub.edit("My Space", {"app.py": "app\n"})
    hub.synced()
    hub.commit("On", {"core/src/train.py": "on\n"})
    others: list[str] = []

    def somebody_pushes() -> None:
        if not others:
            others.append(hub.edit("Others", {"training/model.py": text(l20="others")}))

    server.on(SPACE, **{moment: somebody_pushes})
    done = hub.synced()
    assert "space: synced after 2 attempts" in done.out
    assert "space: its branch has moved meanwhile; merging again" in done.err
    assert hub.space.read("training/train.py") == b"on\n"
    assert hub.space.read("training/model.py") == text(l20="others").encode()
    assert hub.space.parents("main")[0] == others[0]


@pytest.mark.slow
def test_a_space_that_moves_every_time_is_given_up_after_three_attempts(hub: Family, server: GitServer) -> None:
    hub.synced()
    hub.commit("On", {"core/src/train.py": "on\n"})
    others: list[str] = []
    server.on(SPACE, before_offer=lambda: others.append(hub.edit("Others", {f"{len(others)}.txt": "x\n"})))
    done = hub.sync()
    assert done.code == 3
    assert "its branch moved 3 times while it was being synced; nothing of ours was pushed." in done.out
    assert len(others) == 3
    assert set(others) <= set(hub.space.git("rev-list", "main").split())
    assert hub.space.read("training/train.py") == b"train\n"
    assert not hub.unfinished()
    server.on(SPACE, before_offer=None)
    hub.synced()
    assert set(others) <= set(hub.space.git("rev-list", "main").split())


@pytest.mark.slow
def test_a_branch_that_is_deleted_meanwhile_is_not_made_anew(hub: Family, server: GitServer) -> None:
    hub.edit("My Space", {"app.py": "app\n"})
    hub.synced()
    before = hub.space.tip("main")
    hub.commit("On", {"core/src/train.py": "on\n"})
    server.on(SPACE, before_offer=lambda: hub.space.git("branch", "-m", "main", "old"))
    done = hub.sync()
    assert done.code == 3
    assert "space: its branch main was deleted while it was being synced; nothing was pushed." in done.out
    assert f"What it held is {before}, in this clone." in done.out
    assert hub.clone.tip("refs/remotes/space/main") == before
    assert (hub.space.tips(), hub.unfinished()) == ({"refs/heads/old": before}, [])


@pytest.mark.slow
def test_a_remote_that_shows_no_refs_after_a_push_leaves_it_open(hub: Family, server: GitServer) -> None:
    hub.edit("My Space", {"app.py": "app\n"})
    hub.synced()
    before = hub.space.tip("main")
    hub.commit("On", {"core/src/train.py": "on\n"})
    server.on(SPACE, before_offer=lambda: hub.space.git("update-ref", "-d", "refs/heads/main"))
    done = hub.sync()
    had = f"answered with no refs, though it had main at {before[:10]}: a portal or a maintenance page?"
    said = f"space: the push was sent, then the remote did not say what it has ({had}). The push may have landed."
    assert (done.code, said in done.out) == (30, True), done.out
    assert hub.clone.tip("refs/remotes/space/main") == before
    assert (hub.space.tips(), len(hub.unfinished())) == ({}, 1)
    server.on(SPACE, before_offer=None)
    hub.space.git("update-ref", "refs/heads/main", before)
    assert "space: an earlier sync did not end; its push had not landed" in hub.synced().err
    assert hub.space.read("training/train.py") == b"on\n"


@pytest.mark.slow
def test_a_conflict_that_came_up_between_plan_and_push_stops(hub: Family, server: GitServer) -> None:
    hub.synced()
    hub.commit("Yours", {"core/src/train.py": "yours\n"})
    server.on(SPACE, before_push=lambda: hub.edit("Mine", {"training/train.py": "mine\n"}))
    done = hub.sync()
    assert done.code == 3
    assert "  training/train.py: modified in the source, modified in the target" in done.out.splitlines()
    assert hub.space.read("training/train.py") == b"mine\n"
    assert not hub.unfinished()


def test_somebody_else_pushed_the_same_sync_first(hub: Family, server: GitServer, run_cli: RunCli) -> None:
    hub.synced()
    hub.commit("On", {"core/src/train.py": "on\n"})
    other = Clone.of(hub.origin.url, hub.folder / "colleague")

    def colleague_syncs() -> None:
        server.on(SPACE, before_push=None)
        assert run_cli("sync", "--yes", cwd=other.path).code == 0

    server.on(SPACE, before_push=colleague_syncs)
    hub.synced()
    assert hub.space.read("training/train.py") == b"on\n"
    assert len(hub.space.log("main", "--grep=^Sync from")) == 2


def test_somebody_who_built_on_our_push_at_once_does_not_make_it_a_failure(hub: Family) -> None:
    hook = hub.space.path / "hooks/post-receive"
    hook.write_text(
        "#!/bin/sh\nunset GIT_QUARANTINE_PATH\n"
        "new=$(git commit-tree -p main -m robot main^{tree}) && git update-ref refs/heads/main $new\n"
    )
    hook.chmod(0o755)
    done = hub.synced()
    assert "space: synced, now at" in done.out
    assert hub.space.log()[0] == "robot"
    assert hub.clone.tip("refs/remotes/space/main") == hub.space.tip("main")


@pytest.mark.slow
def test_a_refusal_by_the_remotes_hook_is_told_in_its_own_words(hub: Family) -> None:
    hub.edit("My Space", {"app.py": "app\n"})
    hook = hub.space.path / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'Your push holds \\033[31mbinary\\033[0m files.\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = hub.persons_own()
    done = hub.sync()
    assert done.code == 3
    assert "space refused the push, and nothing was changed there:" in done.out
    assert "Your push holds \\x1b[31mbinary\\x1b[0m files." in done.out
    assert "\033" not in done.out + done.err
    assert hub.persons_own() == before
    assert not hub.unfinished()
    assert not [ref for ref in hub.clone.tips() if ref.startswith("refs/openllm/")]


def test_the_persons_own_pre_push_hook_has_its_say(family: Family) -> None:
    hook = family.clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not today' >&2\nexit 1\n")
    hook.chmod(0o755)
    done = family.sync()
    assert done.code == 3
    assert "not today" in done.out
    assert family.space.tips() == {}


def test_a_push_that_git_sends_elsewhere_is_not_believed(family: Family) -> None:
    """`url.*.pushInsteadOf` leads to a mirror: git says that it pushed, and the Space has not moved."""
    mirror = Bare.init(family.folder / "mirror.git")
    family.clone.git("config", f"url.{mirror.url}.pushInsteadOf", family.space.url)
    done = family.sync()
    assert done.code == 30
    assert "went through, but" in done.out
    assert "pushInsteadOf" in done.out
    assert family.space.tips() == {}


def test_a_tracking_ref_that_cannot_be_moved_stops_nothing(family: Family) -> None:
    """A ref of a branch that is long gone stands in the way of refs/remotes/space/main."""
    family.clone.git("update-ref", "refs/remotes/space/main/old", "HEAD")
    assert "space: synced" in family.synced().out
    assert "space: up to date" in family.synced().out


def test_a_push_that_is_forbidden_is_told(hub: Family, server: GitServer) -> None:
    server.on(SPACE, denies_push=True)
    done = hub.sync()
    assert done.code == 3
    assert "The push did not get through, and nothing was changed there:" in done.out
    assert "403" in done.out
    assert hub.space.tips() == {}


def test_a_space_that_wants_a_login_is_told(hub: Family, server: GitServer) -> None:
    server.on(SPACE, account=("lemms", "hf_secretsecret"))
    done = hub.sync()
    assert done.code == 30
    assert "space is unreachable" in done.out
    assert "next: hf auth login" in done.out
    assert "hf_secret" not in done.out + done.err


def test_a_space_that_does_not_exist_is_told(hub: Family) -> None:
    hub.urls["space"] = HUB + "spaces/lemms/opnellm"
    hub.manifest()
    done = hub.sync()
    assert done.code == 30
    assert "space is unreachable" in done.out
    assert "exists on the Hub" in done.out


def test_a_dead_remote_does_not_keep_the_others_from_their_sync(hub: Family) -> None:
    gone = "http://127.0.0.1:9/gone"
    hub.manifest(
        more='[repos.gone]\nspace = "lemms/gone"\n[[repos.gone.map]]\nfrom = "configs/*.json"\nto = "."\n',
    )
    hub.commit("Two targets")
    hub.clone.git("config", f"url.{gone}.insteadOf", HUB + "spaces/lemms/gone")
    done = hub.sync()
    assert done.code == 30
    assert "gone is unreachable" in done.out
    assert "space: synced, now at" in done.out
    assert "training/model.py" in hub.space.paths()


@pytest.mark.slow
def test_a_remote_that_never_answers_is_dead_when_its_time_is_over(
    hub: Family, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = functools.partial(remotes.ask, deadline=3)
    monkeypatch.setattr(planning, "ask", quick)
    server.on(SPACE, dead=True)
    began = time.monotonic()
    done = hub.sync()
    assert done.code == 30
    assert "space is unreachable: no answer within 3 seconds" in done.out
    assert time.monotonic() - began < 60


def _ssh_family(tmp_path: Path, run_cli: RunCli, ssh: FakeSsh) -> Family:
    family = Family.make(tmp_path / "family", run_cli, space=Bare.init(ssh.root / "space.git"))
    family.urls["space"] = ssh.url("space.git")
    family.manifest()
    family.commit("Over ssh")
    family.synced()
    family.commit("On", {"core/src/train.py": "on\n"})
    return family


def test_a_push_that_landed_though_its_answer_was_lost(tmp_path: Path, run_cli: RunCli, ssh: FakeSsh) -> None:
    family = _ssh_family(tmp_path, run_cli, ssh)
    hook = family.space.path / "hooks/post-receive"
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    done = family.synced()
    assert f"space: synced, now at {family.space.tip('main')[:10]}" in done.out
    assert family.space.read("training/train.py") == b"on\n"


@pytest.mark.slow
def test_a_line_that_dies_during_the_push_leaves_the_outcome_to_the_next_run(
    tmp_path: Path, run_cli: RunCli, ssh: FakeSsh
) -> None:
    family = _ssh_family(tmp_path, run_cli, ssh)
    old = family.space.tip("main")
    hook = family.space.path / "hooks/post-receive"
    hook.write_text(f"#!/bin/sh\nprintf '#!/bin/sh\\nexit 255\\n' > {ssh.script}\n")
    hook.chmod(0o755)
    done = family.sync()
    assert done.code == 30
    assert "the push was sent, then the remote did not say what it has" in done.out
    assert len(family.unfinished()) == 1
    done = family.sync()
    assert done.code == 30
    assert "an earlier sync did not end; its remote does not say if its push landed: " in done.err
    assert len(family.unfinished()) == 1
    ssh.work()
    hook.unlink()
    new = family.space.tip("main")
    done = family.synced()
    assert "space: an earlier sync did not end; its push landed" in done.err
    assert "space: up to date" in done.out
    assert (family.space.tip("main"), family.space.parents("main")[0]) == (new, old)


def test_a_push_that_never_arrived_is_made_by_the_next_run(tmp_path: Path, run_cli: RunCli, ssh: FakeSsh) -> None:
    family = _ssh_family(tmp_path, run_cli, ssh)
    old = family.space.tip("main")
    script = ssh.script.read_text()
    dies = f"case $verb in git-receive-pack) echo 'exit 255' > {ssh.script}; exit 255 ;; esac; exec "
    ssh.script.write_text(script.replace("exec ", dies))
    done = family.sync()
    assert done.code == 30
    assert (len(family.unfinished()), family.space.tip("main")) == (1, old)
    ssh.work()
    done = family.synced()
    assert "space: an earlier sync did not end; its push had not landed" in done.err
    assert "space: synced, now at" in done.out
    assert family.space.read("training/train.py") == b"on\n"


@pytest.mark.slow
def test_the_record_of_a_repo_that_left_the_manifest_is_closed(tmp_path: Path, run_cli: RunCli, ssh: FakeSsh) -> None:
    family = _ssh_family(tmp_path, run_cli, ssh)
    hook = family.space.path / "hooks/post-receive"
    hook.write_text(f"#!/bin/sh\nprintf '#!/bin/sh\\nexit 255\\n' > {ssh.script}\n")
    hook.chmod(0o755)
    assert family.sync().code == 30
    other = Bare.init(tmp_path / "other.git")
    family.urls["space"] = other.url
    family.manifest()
    family.commit("Another Space")
    done = family.sync()
    assert done.code == 0
    url = ssh.url("space.git")
    said = f"space: an earlier sync did not end; nobody is asked, since the manifest no longer names {url}"
    assert said in done.err
    assert "training/train.py" in other.paths()
    assert not family.unfinished()


def test_of_two_syncs_at_once_one_works_and_the_other_says_who(
    hub: Family, server: GitServer, run_tool: RunTool
) -> None:
    second: list[tuple[int, str]] = []

    def another_sync() -> None:
        server.on(SPACE, before_push=None)
        done = run_tool("sync", "--yes", cwd=hub.clone.path)
        second.append((done.code, done.err))

    server.on(SPACE, before_push=another_sync)
    hub.synced()
    ((code, said),) = second
    assert code == 30
    assert "Another openllm-repos works in this clone: process " in said
    assert ", sync, for " in said
    assert "training/model.py" in hub.space.paths()


def test_credentials_in_a_persons_remote_are_never_shown(hub: Family) -> None:
    hub.clone.git("remote", "add", "hf", f"https://lemms:hf_secretsecret@huggingface.co/{SPACE}")
    for args in ((), ("--json",), ("--dry-run", "--json")):
        done = hub.sync(*args)
        assert done.code == 30
        assert "uses plaintext credentials" in done.out
        assert "Take the password or token out of your remote's URL" in done.out
        assert "hf_secret" not in done.out + done.err
