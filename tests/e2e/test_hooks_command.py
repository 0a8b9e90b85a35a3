"""`openllm-repos hooks`: beside hooks that are there already, and away again without a trace."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openllm_repos import __version__
from openllm_repos.journal.log import Move, MoveOutcome
from openllm_repos.lockfile.text import format_lock, message_with_lock
from openllm_repos.names.objectid import ObjectId
from tests.support.gated import Gated
from tests.support.logged import write_operation
from tests.support.needs import need_older_git
from tests.support.repositories import Bare

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli

# What husky 9 writes into .husky/_: each hook reads `h`, which looks for the hook by the name it was called by.
_HUSKY_HOOK = '#!/usr/bin/env sh\n. "$(dirname "$0")/h"'
_HUSKY_H = """\
#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
"""


@pytest.fixture
def gated(tmp_path: Path, run_cli: RunCli) -> Gated:
    made = Gated.make(tmp_path / "gated", run_cli)
    made.family.run("hooks", "uninstall", cwd=made.path)
    return made


def seen(folder: Path) -> dict[str, tuple[int, bytes | str, int]]:
    """Return mode, content (of a link: where it leads) and time of each file of a folder."""
    found = {}
    for path in folder.iterdir():
        facts = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes()
        found[path.name] = (stat.S_IMODE(facts.st_mode), content, facts.st_mtime_ns)
    return found


def heard(path: Path) -> str:
    """Return a hook that writes down what it is told: arguments, input, and its own name."""
    return f'#!/bin/sh\nprintf "%s|" "$@" > "{path}"\ncat >> "{path}"\necho "$0" >> "{path}"\n'


def test_a_hook_that_was_there_gets_the_same_arguments_and_input_and_its_exit_code_counts(gated: Gated) -> None:
    told = gated.family.folder / "told"
    gated.hook(heard(told))
    gated.push("origin", "main:refs/heads/one")
    alone = told.read_text()
    gated.install()
    gated.push("origin", "main:refs/heads/two")
    assert told.read_text() == alone.replace("heads/one", "heads/two")
    gated.hook("#!/bin/sh\nexit 7\n", name="pre-push.before-openllm-repos")
    assert gated.push("origin", "main:refs/heads/three").code == 1
    assert "refs/heads/three" not in gated.family.origin.tips()


def test_a_hook_of_another_language_is_started_as_it_is(gated: Gated) -> None:
    told = gated.family.folder / "told"
    text = f"import sys\nopen({str(told)!r}, 'w').write(repr(sys.argv[1:]) + sys.stdin.read())\nsys.exit(1)\n"
    gated.hook(f"#!{sys.executable}\n{text}")
    gated.install()
    assert gated.push("origin", "main:refs/heads/topic").code == 1
    assert told.read_text().startswith(f"['origin', '{gated.family.origin.url}']refs/heads/main ")


@pytest.mark.slow
def test_a_refused_push_does_not_reach_the_hook_that_was_there(gated: Gated) -> None:
    told = gated.family.folder / "told"
    gated.hook(heard(told))
    gated.install()
    assert gated.push("origin", "main:refs/tags/v2.0.0").code == 1
    assert not told.exists()


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o644])
def test_uninstall_puts_back_what_was_there_to_the_byte_and_bit(gated: Gated, mode: int) -> None:
    gated.hook("#!/bin/sh\r\n# caf\xe9\n", mode=mode)
    before = seen(gated.hooks)
    gated.install()
    gated.install()
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).out.startswith("Removed")
    assert seen(gated.hooks) == before


def test_a_hook_that_is_a_link_is_a_link_again(gated: Gated) -> None:
    shared = gated.hook("#!/bin/bash\nexit 5\n", name="shared")
    (gated.hooks / "pre-push").symlink_to(shared.name)
    before = seen(gated.hooks)
    gated.install()
    assert shared.read_text() == "#!/bin/bash\nexit 5\n"
    assert gated.push("origin", "main:refs/heads/topic").code == 1
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert seen(gated.hooks) == before


def test_a_clone_without_a_hooks_folder_has_none_afterwards(gated: Gated) -> None:
    shutil.rmtree(gated.hooks)
    gated.install()
    assert gated.push("origin", "main:refs/tags/v2.0.0").code == 1
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert not gated.hooks.exists()


def test_a_hook_that_git_left_out_stays_left_out(gated: Gated) -> None:
    gated.hook("#!/bin/sh\nexit 5\n", mode=0o644)
    gated.install()
    assert gated.push("origin", "main:refs/heads/topic").code == 0
    kept = gated.status().json()["kept"]
    assert kept == {"path": str(gated.hooks / "pre-push.before-openllm-repos"), "tool": None, "runs": False}


def test_installed_twice_nothing_changes(gated: Gated) -> None:
    gated.hook("#!/bin/sh\nexit 0\n")
    assert gated.install().out.startswith(
        f"Installed: {gated.hooks / 'pre-push'}. It runs pre-push.before-openllm-repos"
    )
    before = seen(gated.hooks)
    assert gated.install().out.startswith("Already installed: ")
    assert seen(gated.hooks) == before
    assert gated.family.run("-q", "hooks", "install", cwd=gated.path).out == ""


def test_where_it_is_not_installed_there_is_nothing_to_remove(gated: Gated) -> None:
    gated.hook("#!/bin/sh\nexit 5\n")
    before = seen(gated.hooks)
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).out.startswith("There was nothing to remove")
    assert seen(gated.hooks) == before


def test_an_older_hook_of_ours_is_replaced_and_the_one_before_it_kept(gated: Gated) -> None:
    gated.hook("#!/bin/sh\nexit 5\n")
    gated.install()
    current = (gated.hooks / "pre-push").read_bytes()
    gated.hook("#!/bin/sh\n# openllm-repos pre-push\nexit 0\n")
    assert "another version" in gated.status().json()["problems"][0]["message"]
    gated.install()
    assert (gated.hooks / "pre-push").read_bytes() == current
    assert (gated.hooks / "pre-push.before-openllm-repos").read_text() == "#!/bin/sh\nexit 5\n"


def test_husky_finds_its_hook_by_name_after_us_too(gated: Gated) -> None:
    folder = gated.path / ".husky/_"
    folder.mkdir(parents=True)
    (folder / "h").write_text(_HUSKY_H)
    (folder / "pre-push").write_text(_HUSKY_HOOK)
    (folder / "pre-push").chmod(0o755)
    told = gated.family.folder / "told"
    (gated.path / ".husky/pre-push").write_text(f'cat > "{told}"\nexit 1\n')
    gated.git("config", "core.hooksPath", ".husky/_")
    done = gated.family.run("hooks", "install", cwd=gated.path)
    assert done.code == 2
    assert "next: openllm-repos hooks snippet  # prints the lines that go first in .husky/pre-push" in done.err
    before = seen(folder)
    gated.install("--hooks-path")
    assert gated.status().json()["kept"]["tool"] == "husky"
    assert gated.push("origin", "main:refs/tags/v2.0.0").code == 1
    assert not told.exists()
    assert gated.push("origin", "main:refs/heads/topic").code == 1
    assert "refs/heads/topic" in told.read_text()
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert seen(folder) == before


@pytest.mark.slow
def test_a_hooks_folder_for_several_clones_serves_each_of_them(gated: Gated, tmp_path: Path, run_cli: RunCli) -> None:
    other = Gated.make(tmp_path / "other", run_cli, project='version = "VERSION"\ntag = "release-{version}"')
    other.family.run("hooks", "uninstall", cwd=other.path)
    stranger = tmp_path / "stranger"
    gated.git("clone", "-q", "--no-checkout", str(gated.path), str(stranger))
    shared = tmp_path / "shared hooks"
    for one in (gated, other):
        one.git("config", "core.hooksPath", str(shared))
        one.install("--hooks-path")
    assert "It is a lightweight tag" in gated.push("origin", "main:refs/tags/v2.0.0").err
    assert "It is a lightweight tag" in other.push("origin", "main:refs/tags/release-2.0.0").err
    assert other.push("origin", "main:refs/tags/v2.0.0").code == 0
    assert other.family.run("hooks", "uninstall", cwd=other.path).out.startswith("Removed")
    assert "It is a lightweight tag" in gated.push("origin", "main:refs/tags/v2.0.0").err
    assert other.push("origin", "main:refs/tags/release-2.0.0").code == 0
    assert "installed by other clones" in other.status().json()["problems"][0]["message"]
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert not shared.exists()


def test_another_tool_that_replaced_us_is_told_and_nothing_is_guessed(gated: Gated) -> None:
    gated.hook("#!/bin/sh\nexit 0\n# the user's\n")
    gated.install()
    gated.hook('#!/bin/sh\ngit lfs pre-push "$@"\n')
    found = gated.status()
    assert found.code == 1
    assert "Another tool has replaced" in found.json()["problems"][0]["message"]
    before = seen(gated.hooks)
    done = gated.family.run("hooks", "install", cwd=gated.path)
    assert done.code == 3
    assert "Delete the one that is not wanted any more" in done.err
    assert seen(gated.hooks) == before
    (gated.hooks / "pre-push.before-openllm-repos").unlink()
    gated.install()
    assert gated.status().json()["kept"]["tool"] == "git-lfs"


@pytest.mark.slow
def test_a_tool_that_writes_its_hook_anew_is_kept_anew(gated: Gated) -> None:
    text = "#!/bin/bash\nexit 0\n"
    gated.hook(text)
    for _ in range(2):
        gated.install()
        gated.hook(text)
        assert "Another tool has replaced" in gated.status().json()["problems"][0]["message"]
    gated.install()
    assert gated.push("origin", "main:refs/tags/v2.0.0").code == 1
    gated.hook(text)
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).out.startswith("Removed")
    assert {path.name for path in gated.hooks.glob("pre-push*") if path.suffix != ".sample"} == {"pre-push"}


def test_status_tells_what_the_hook_does_not_know_yet(gated: Gated) -> None:
    gated.install()
    assert gated.status().code == 0
    gated.git("remote", "add", "hf", gated.family.space.url)
    found = gated.status()
    assert found.code == 1
    [problem] = found.json()["problems"]
    assert problem["message"] == "It does not know what repos.toml and the remotes say now: target hf"
    assert (problem["next"], problem["stops"]) == ("openllm-repos hooks install", False)
    gated.git("remote", "remove", "hf")
    gated.git("remote", "remove", "space")
    assert "looks for more than repos.toml says now" in gated.status().json()["problems"][0]["message"]
    gated.install()
    assert gated.status().json()["problems"] == []


def test_status_says_what_is_installed_and_whether_it_would_run(gated: Gated) -> None:
    assert gated.family.run("hooks", "status", cwd=gated.path).out == (
        f"pre-push: not installed ({gated.hooks / 'pre-push'})\n\n"
        "It is not installed.\n  next: openllm-repos hooks install\n"
    )
    gated.hook('#!/bin/sh\ngit lfs pre-push "$@"\n')
    gated.install()
    done = gated.family.run("hooks", "status", cwd=gated.path)
    assert done.code == 0
    assert done.out == (
        f"pre-push: installed by {__version__}, would run\n"
        f"  file:   {gated.hooks / 'pre-push'}\n"
        f"  python: {sys.executable}\n"
        f"  then:   {gated.hooks / 'pre-push.before-openllm-repos'} (git-lfs)\n"
    )
    assert gated.status().json() == {
        "schema": 1,
        "hook": "pre-push",
        "path": str(gated.hooks / "pre-push"),
        "installed": True,
        "would_run": True,
        "way": "file",
        "hooks_path": None,
        "version": __version__,
        "python": sys.executable,
        "kept": {"path": str(gated.hooks / "pre-push.before-openllm-repos"), "tool": "git-lfs", "runs": True},
        "problems": [],
    }


def test_status_tells_that_git_looks_elsewhere(gated: Gated) -> None:
    gated.install()
    gated.git("config", "core.hooksPath", "/dev/null")
    found = gated.status().json()
    assert (found["installed"], found["would_run"], found["hooks_path"]) == (False, False, "/dev/null")
    assert "so git does not look at" in found["problems"][0]["message"]
    assert "core.hooksPath: /dev/null" in gated.family.run("hooks", "status", cwd=gated.path).out
    assert gated.family.run("hooks", "install", "--hooks-path", cwd=gated.path).code == 30
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).out.startswith("Removed")
    assert not (gated.hooks / "pre-push").exists()


def test_without_its_facts_the_hook_says_so(gated: Gated) -> None:
    gated.install()
    (gated.hooks / "pre-push.openllm-repos").unlink()
    done = gated.push("origin", "main:refs/heads/topic")
    assert done.code == 1
    assert "next: openllm-repos hooks install" in done.err
    assert "every push is stopped" in gated.status().json()["problems"][0]["message"]


@pytest.mark.slow
def test_a_module_in_the_checkout_is_never_run(gated: Gated) -> None:
    gated.install()
    ran = gated.family.folder / "ran"
    evil = f"open({str(ran)!r}, 'w').write(__name__)\n"
    names = ("openllm_repos/__init__", "openllm_repos/__main__", "click", "tomllib", "json", "sitecustomize", "git")
    gated.family.clone.write({f"{name}.py": evil for name in names})
    gated.family.clone.write({".git/hooks/click.py": evil})
    env = {"PYTHONPATH": f".:{gated.path}:", "PYTHONSTARTUP": "click.py", "PYTHONHOME": str(gated.path)}
    assert "It is a lightweight tag" in gated.push("origin", "main:refs/tags/v2.0.0", env=env).err
    assert not ran.exists()


def test_a_python_without_the_package_does_not_wave_a_tag_through(gated: Gated) -> None:
    gated.install()
    facts = gated.hooks / "pre-push.openllm-repos"
    lost = gated.family.folder / "python"
    lost.write_text("#!/bin/sh\necho 'No module named openllm_repos' >&2\nexit 1\n")
    lost.chmod(0o755)
    facts.write_text(facts.read_text().replace(f"python {sys.executable}", f"python {lost}"))
    done = gated.push("origin", "v1.0.0")
    assert done.code == 1
    assert "This push could not be judged (exit code 1), so it is stopped." in done.err


@pytest.mark.slow
def test_an_unsound_manifest_stops_what_it_would_have_to_judge(gated: Gated) -> None:
    gated.install()
    gated.family.clone.write({"repos.toml": "schema = 1\n"})
    done = gated.push("origin", "v1.0.0")
    assert done.code == 1
    assert "project: is missing" in done.err
    assert gated.push("origin", "main:refs/heads/topic").code == 0


@pytest.mark.slow
def test_on_a_branch_without_a_manifest_that_of_the_source_counts(gated: Gated) -> None:
    gated.install()
    gated.family.clone.orphan("pages")
    gated.family.clone.commit("pages", {"index.html": "hello\n"})
    gated.tag("v9.9.9")
    assert "It stands for 9.9.9, but VERSION of its commit" in gated.push("origin", "v9.9.9").err
    gated.git("fetch", "-q", "origin")
    gated.git("branch", "-q", "-D", "main")
    assert "It stands for 9.9.9, but VERSION of its commit" in gated.push("origin", "v9.9.9").err
    gated.git("update-ref", "-d", "refs/remotes/origin/main")
    done = gated.push("origin", "v9.9.9")
    assert "no repos.toml here, nor on the source's branch; nothing is checked" in done.err


def test_ci_and_other_hook_managers_call_the_gate_by_name(gated: Gated, run_cli: RunCli) -> None:
    tip = gated.family.clone.tip()
    line = f"refs/heads/main {tip} refs/tags/v2.0.0 {'0' * 40}\n".encode()
    where = ("origin", gated.family.origin.url)
    done = run_cli("hooks", "run", "pre-push", *where, cwd=gated.path, data=line)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("stopped: refs/tags/v2.0.0: It is a lightweight tag")
    done = run_cli("hooks", "run", "pre-push", *where, cwd=gated.path)
    assert (done.code, done.err.startswith("note: nothing is checked")) == (0, True)
    done = run_cli("hooks", "run", "pre-push", *where, cwd=gated.path, data=b"what is this\n")
    assert (done.code, "is not a line of a pre-push hook" in done.err) == (2, True)
    done = run_cli("hooks", "run", "pre-push", "origin", cwd=gated.path, data=line)
    assert (done.code, 'next: openllm-repos hooks run pre-push "$@"' in done.err) == (2, True)


def test_pre_commit_tells_its_hooks_by_variables(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    tip = gated.family.clone.tip()
    told = {
        "PRE_COMMIT_REMOTE_NAME": "space",
        "PRE_COMMIT_REMOTE_URL": gated.family.space.url,
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
        "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
        "PRE_COMMIT_TO_REF": tip,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    done = gated.family.run("hooks", "run", "pre-push", cwd=gated.path)
    assert done.code == 3
    assert "which may never leave the source" in done.err
    text = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text()
    assert "entry: openllm-repos hooks run pre-push\n" in text


def test_a_push_that_leaves_targets_behind_is_told_and_let_through(gated: Gated) -> None:
    gated.install()
    gated.without_python()
    note = "This push changes files that are mapped to targets, which lack them until the next sync."
    gated.family.clone.commit("mapped", {"core/src/new.py": "new\n"})
    assert note not in gated.push("origin", "main:refs/heads/topic").err
    done = gated.push("origin", "main")
    assert (done.code, note in done.err, "next: openllm-repos sync" in done.err) == (0, True, True)
    gated.family.clone.commit("not mapped", {"docs/new.md": "new\n", "core/src/deep/er.py": "new\n"})
    assert note not in gated.push("origin", "main").err
    assert gated.push("origin", ":main").err.count("openllm-repos: ") == 0


@pytest.mark.slow
def test_what_a_target_owns_may_be_pushed_by_hand(gated: Gated) -> None:
    gated.family.synced("--yes")
    gated.install()
    gated.git("fetch", "-q", "space")
    gated.git("checkout", "-q", "-b", "space", "space/main")
    gated.family.clone.commit("Its own", {"app.py": "print()\n"})
    assert gated.push("space", "space:main").code == 0
    gated.family.clone.commit("Mapped", {"training/model.py": "mine\n"})
    done = gated.push("space", "space:main")
    assert done.code == 1
    assert "It changes training/model.py of space, which its maps write from the source" in done.err
    assert gated.push("space", "space:refs/heads/try").code == 0
    assert "would be deleted" in gated.push("space", ":main").err
    assert gated.push("space", ":try").code == 0


@pytest.mark.slow
def test_a_secret_that_a_later_commit_takes_away_again_is_still_in_the_history(gated: Gated) -> None:
    gated.family.synced("--yes")
    gated.install()
    gated.git("fetch", "-q", "space")
    gated.git("checkout", "-q", "-b", "space", "space/main")
    gated.family.clone.commit("Oops", {"data/key.txt": "secret\n"})
    gated.family.clone.commit("Gone again", {"data/key.txt": None})
    assert "It brings data/key.txt to space" in gated.push("space", "space:main").err
    gated.git("reset", "-q", "--hard", "space/main")
    gated.family.edit("By others", {"data/theirs.txt": "there already\n"})
    gated.git("fetch", "-q", "space")
    gated.git("reset", "-q", "--hard", "space/main")
    gated.family.clone.commit("Take it away", {"data/theirs.txt": None})
    assert gated.push("space", "space:main").code == 0


@pytest.mark.slow
def test_a_target_whose_tip_is_not_here_is_not_overwritten_by_force(gated: Gated) -> None:
    gated.family.synced("--yes")
    gated.install()
    gated.git("fetch", "-q", "space")
    gated.git("checkout", "-q", "-b", "space", "space/main")
    gated.family.edit("By others", {"app.py": "theirs\n"})
    gated.family.clone.commit("Mine", {"app.py": "mine\n"})
    done = gated.push("--force", "space", "space:main")
    assert done.code == 1
    assert "is not in this clone" in done.err


def test_a_sync_that_was_not_ours_to_push_is_not_waved_through(gated: Gated) -> None:
    gated.family.synced("--yes")
    gated.family.commit("next", {"core/src/new.py": "new\n"})
    gated.install()
    tip, made = gated.family.space.tip("main"), gated.family.clone.tip()
    line = f"HEAD {made} refs/heads/main {tip}\n".encode()
    url = gated.family.space.url

    def judged(pushed: Move, outcome: MoveOutcome | None = None) -> int:
        """Return what the hook says while the log has that push."""
        write_operation(gated.path, "sync", pushed, outcome=outcome)
        return gated.family.run("hooks", "run", "pre-push", "space", url, cwd=gated.path, data=line).code

    ours = Move("space", url, "refs/heads/main", ObjectId(tip), ObjectId(made))
    assert judged(replace(ours, new=ObjectId(made[::-1]))) == 3
    assert judged(replace(ours, url=gated.family.origin.url)) == 3
    assert judged(ours, MoveOutcome.REFUSED) == 3, "it is over"
    assert judged(ours) == 0


@pytest.mark.slow
def test_a_lock_may_stand_in_the_message_of_the_tag(gated: Gated) -> None:
    gated.install()
    made = gated.family.commit("This is 2.0.0", {"VERSION": "2.0.0\n"})
    gated.tag("v2.0.0", made, message_with_lock("openllm 2.0.0", gated.lock("2.0.0")))
    done = gated.push("origin", "v2.0.0")
    assert (done.code, "model does not have v2.0.0 yet" in done.err) == (0, True)
    gated.git("fetch", "-q", gated.model.url, "main:refs/heads/weights")
    gated.git("tag", "-a", "-m", "weights", "weights-2.0.0", "weights")
    line = f"{gated.git('rev-parse', 'weights-2.0.0')}:refs/tags/v2.0.0"
    assert "The tag's own name is weights-2.0.0" in gated.push(gated.model.url, line).err
    text = gated.git("cat-file", "tag", "weights-2.0.0").replace("tag weights-2.0.0", "tag v2.0.0")
    named = gated.family.clone.git("mktag", data=f"{text}\n".encode())
    assert gated.push(gated.model.url, f"{named}:refs/tags/v2.0.0").code == 0


@pytest.mark.slow
def test_a_lock_that_is_of_another_release_or_none_at_all_does_not_count(gated: Gated) -> None:
    gated.install()
    path = "manifest/releases/v2.0.0.toml"
    made = gated.family.commit("This is 2.0.0", {"VERSION": "2.0.0\n"})
    for text, says in (
        (format_lock(gated.lock("1.0.0")), "is the lock of v1.0.0 (1.0.0)"),
        ("schema = 1\n", "is not sound: it has no repos"),
        (format_lock(gated.lock("2.0.0", made_of="1" * 40)), "but the release was made of 1111111111, says"),
        (format_lock(gated.lock("2.0.0", made_of=made)), f"but the release was made of {made[:10]}, says"),
    ):
        gated.family.commit("Release 2.0.0", {path: text})
        gated.tag("v2.0.0")
        done = gated.push("origin", "v2.0.0")
        assert (done.code, says in done.err) == (1, True), done.err
    done = gated.push(gated.model.url, "v2.0.0")
    assert f"but the lock says {gated.models_commit[:10]} for model" in done.err


@pytest.mark.slow
def test_a_repo_may_have_release_tags_of_its_own_form_and_a_version_file_of_its_own(gated: Gated) -> None:
    gated.manifest(model='tag = "weights-{version}"\nversion = "VERSION"')
    gated.install()
    gated.git("tag", "-a", "-m", "by hand", "weights-1.0.0")
    assert gated.push(gated.model.url, "v1.0.0:refs/tags/very-new").code == 0
    done = gated.push(gated.model.url, "weights-1.0.0")
    assert "does not put weights-1.0.0 into model" in done.err
    gated.family.clone.write({"VERSION": "3.0.0\n"})
    gated.family.clone.commit("Other", {})
    gated.tag("weights-2.0.0")
    done = gated.push(gated.model.url, "weights-2.0.0")
    assert "It stands for 2.0.0, but VERSION of its commit" in done.err
    assert "The source has no lock of 2.0.0, so no release puts weights-2.0.0 into model" in done.err
    assert gated.push("origin", "weights-2.0.0").code == 0


@pytest.mark.slow
def test_a_push_to_a_fork_or_a_mirror_outside_of_the_family_is_not_judged(gated: Gated) -> None:
    gated.install()
    gated.git("tag", "v2.0.0")
    gated.git("tag", "-a", "-m", "an old one", "v0.0.9")
    backup = Bare.init(gated.family.folder / "backup.git")
    gated.git("remote", "add", "--mirror=push", "backup", str(backup.path))
    done = gated.push("backup")
    assert (done.code, "stopped" in done.err) == (0, False), done.err
    assert {"refs/tags/v2.0.0", "refs/tags/v0.0.9"} <= set(backup.tips())
    done = gated.push(str(backup.path), ":refs/tags/v2.0.0")
    assert (done.code, done.err.count("next:")) == (0, 0)


def test_an_old_tag_that_came_along_is_left_here_by_the_command_that_is_named(gated: Gated) -> None:
    gated.install()
    gated.git("tag", "-a", "-m", "from before", "v0.0.9", "main~1")
    gated.git("config", "push.followTags", "true")
    gated.git("config", "push.default", "current")
    gated.family.clone.commit("next", {"notes": "next\n"})
    done = gated.push("origin", "main")
    assert done.code == 1
    hint, other = dict.fromkeys(line for line in done.err.splitlines() if "next: git" in line)
    assert hint == "  next: git push --no-follow-tags  # leaves the tag here"
    assert other == "  next: git tag -d v0.0.9  # or deletes it"
    gated.git("tag", "-d", "v1.0.0")
    assert gated.push(*hint.partition(" git push ")[2].partition("  #")[0].split()).code == 0
    assert gated.family.origin.tip("main") == gated.family.clone.tip()
    gated.git("tag", "-d", "v0.0.9")
    gated.family.clone.commit("one more", {"notes": "more\n"})
    assert gated.push("origin", "main").code == 0


def documented_pushes() -> set[str]:
    """Return every `git push` that the documents show."""
    root = Path(__file__).parents[2]
    texts = [path.read_text() for path in (*root.glob("*.md"), *root.glob("docs/*.md"))]
    return {found for text in texts for found in re.findall(r"git push(?: +[-:\w./]+)+(?=[`\n ]*(?:`|\n|&))", text)}


@pytest.mark.slow
def test_every_push_that_the_documents_show_passes_the_hook(gated: Gated) -> None:
    shown = documented_pushes()
    assert {"git push origin :refs/tags/TAG", "git push --no-follow-tags"} <= shown
    gated.install()
    gated.git("tag", "-a", "-m", "by hand", "v9.9.9")
    gated.git("config", "push.default", "current")
    for number, command in enumerate(sorted(shown)):
        gated.git("push", "-q", "--no-verify", "--force", "origin", "v9.9.9")
        gated.family.clone.commit(f"work {number}", {"notes": f"{number}\n"})
        done = gated.push(*command.replace("TAG", "v9.9.9").split()[2:])
        assert (done.code, "stopped" in done.err) == (0, False), (command, done.err)


def test_a_tag_that_is_pushed_alone_is_deleted_and_made_by_a_release(gated: Gated) -> None:
    gated.install()
    gated.git("tag", "v2.0.0")
    assert (
        "next: git tag -d v2.0.0\n  next: openllm-repos release 2.0.0  # makes them"
        in gated.push("origin", "v2.0.0").err
    )


@pytest.mark.slow
def test_the_hook_is_written_for_every_sh(gated: Gated) -> None:
    shells = [shell for shell in ("dash", "bash", "busybox", "zsh", "ksh") if shutil.which(shell)]
    assert shells
    gated.install()
    tip, zero = gated.family.clone.tip(), "0" * 40
    where = ("origin", gated.family.origin.url)
    for shell in shells:
        start = [shell, *(["sh"] if shell == "busybox" else ["--posix"] if shell == "bash" else [])]
        for ref, code in (("refs/heads/topic", 0), ("refs/tags/v2.0.0", 1), ("refs/tags/very-new", 0)):
            line = f"refs/heads/main {tip} {ref} {zero}\n"
            command = [*start, ".git/hooks/pre-push", *where]
            done = subprocess.run(command, cwd=gated.path, input=line, text=True, capture_output=True, check=False)
            assert (done.returncode, done.stdout) == (code, ""), (shell, ref, done.stderr)


def test_a_git_that_runs_no_hooks_from_its_configuration_is_not_given_one(gated: Gated) -> None:
    need_older_git()
    done = gated.family.run("hooks", "install", "--config", cwd=gated.path)
    assert done.code == 2
    assert "git 2.54 and newer do" in done.err
    gated.git("config", "hook.openllm-repos.command", "/somewhere/pre-push")
    gated.git("config", "hook.openllm-repos.event", "pre-push")
    found = gated.status().json()
    assert (found["way"], found["would_run"]) == ("config", False)
    assert any("git 2.54 and newer do" in problem["message"] for problem in found["problems"])
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).out.startswith("Removed")
    assert gated.family.clone.run("config", "--get-regexp", "^hook", ok=(1,)).out == ""


def test_the_two_other_places_exclude_each_other(gated: Gated) -> None:
    done = gated.family.run("hooks", "install", "--config", "--hooks-path", cwd=gated.path)
    assert (done.code, "exclude each other" in done.err) == (2, True)


def test_a_hook_that_leads_nowhere_is_kept_too(gated: Gated) -> None:
    (gated.hooks / "pre-push").symlink_to("nowhere")
    before = seen(gated.hooks)
    gated.install()
    assert gated.status().json()["kept"]["runs"] is False
    assert gated.push("origin", "main:refs/heads/topic").code == 0
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert seen(gated.hooks) == before


def test_a_file_system_without_hard_links_will_do(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    gated.hook("#!/bin/bash\nexit 5\n")
    before = seen(gated.hooks)
    gated.install()
    assert gated.push("origin", "main:refs/heads/topic").code == 1
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert seen(gated.hooks) == before


def test_a_disk_that_is_full_leaves_the_hook_that_was_there(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    gated.hook("#!/bin/bash\nexit 5\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fchmod", refuse)
        done = gated.family.run("hooks", "install", cwd=gated.path)
    assert (done.code, "cannot be changed: No space left on device" in done.err) == (30, True)
    assert f"hint: Free some space on the disk of {gated.hooks}, then run the same command again" in done.err
    assert (gated.hooks / "pre-push").read_text() == "#!/bin/bash\nexit 5\n"
    assert [path.name for path in gated.hooks.iterdir() if path.name.startswith(".")] == []
    gated.install()
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert (gated.hooks / "pre-push").read_text() == "#!/bin/bash\nexit 5\n"


def test_a_manifest_or_a_lock_that_is_unsound_in_the_pushed_commit_is_told(gated: Gated) -> None:
    gated.install()
    text = (gated.path / "repos.toml").read_text()
    made = gated.family.commit("This is 2.0.0", {"VERSION": "2.0.0\n", "repos.toml": "schema = 1\n"})
    gated.family.clone.write({"repos.toml": text})
    torn = message_with_lock("openllm 2.0.0", gated.lock("2.0.0")).replace("schema = 1", "schema = 9")
    gated.tag("v2.0.0", made, torn)
    done = gated.push("origin", "v2.0.0")
    assert (done.code, "its schema 9 is newer than this openllm-repos" in done.err) == (1, True)
