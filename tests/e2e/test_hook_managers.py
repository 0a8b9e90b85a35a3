"""The gate beside real hook managers, however often and in whatever order they are installed and taken out again."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openllm_repos.hooks.tools import snippet
from tests.support.gated import Gated
from tests.support.managers import husky, lefthook, path_with_tools, pre_commit, run, traces

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

_PUSHES = itertools.count()
_NOTHING = "nothing is checked: no ref is pushed, or another hook has read standard input first"


@pytest.fixture
def gated(tmp_path: Path, run_cli: RunCli) -> Gated:
    """Return a family without any hook."""
    made = Gated.make(tmp_path / "gated", run_cli)
    made.family.run("hooks", "uninstall", cwd=made.path)
    return made


def push(gated: Gated, *args: str, env: dict[str, str] | None = None) -> Result:
    """Push from a shell in which the tool and the managers are on the PATH."""
    return gated.push("origin", *args, env=path_with_tools() if env is None else env)


def judged(gated: Gated, *, large: bool = False, manager: bool = False) -> None:
    """Check that a wrong tag is stopped, and that a branch arrives with its large file and past the manager's hook."""
    number = next(_PUSHES)
    done = push(gated, f"main:refs/tags/v9.0.{number}")
    assert (done.code, done.err.count("It is a lightweight tag")) == (1, 1), done.err
    before = traces(gated)
    name = f"weights-{number}.bin" if large else f"notes-{number}.txt"
    gated.family.clone.commit(name, {name: f"{name}\n" * 100})
    done = push(gated, f"main:refs/heads/topic-{number}")
    assert done.code == 0, done.err
    assert traces(gated) - before == manager
    if large:
        stored = gated.family.origin.path / "lfs/objects"
        assert f"{name}\n" * 100 in [path.read_text() for path in stored.rglob("*") if path.is_file()]


def sound(gated: Gated) -> str:
    """Check that status has nothing to say, and return how the gate comes to run."""
    found = gated.status()
    assert (found.code, found.json()["problems"]) == (0, [])
    assert found.json()["would_run"]
    return str(found.json()["way"])


def said(gated: Gated, *args: str) -> str:
    """Return what the tool prints, without its line breaks."""
    return " ".join(gated.family.run(*args, cwd=gated.path).out.split())


def no_trace_of_ours(gated: Gated) -> None:
    """Check that nothing of ours is in the hooks folder."""
    for path in gated.hooks.glob("pre-push*"):
        assert "openllm" not in path.name
        assert "openllm-repos" not in path.read_text()


def advised(gated: Gated) -> str:
    """Return the command that an installation names in place of doing it."""
    done = gated.family.run("hooks", "install", cwd=gated.path)
    assert done.code == 2
    command = done.err.partition("\nnext: ")[2].strip().replace("\nnext: ", "\n")
    assert gated.status().json()["problems"][0]["next"] == command
    return command


# ---- pre-commit and prek, which run what they have moved aside -------------------------------------------------------

INSTALL: dict[str, Callable[[Gated], object]] = {
    "ours": lambda gated: gated.install(),
    "pre-commit": lambda gated: pre_commit(gated, "install"),
    "git-lfs": lambda gated: gated.family.clone.run("lfs", "install", "--local", ok=(0, 2)),
}
UNINSTALL: dict[str, Callable[[Gated], object]] = {
    "ours": lambda gated: gated.family.run("hooks", "uninstall", cwd=gated.path),
    "pre-commit": lambda gated: pre_commit(gated, "uninstall"),
    "git-lfs": lambda gated: gated.family.clone.run("lfs", "uninstall", "--local", ok=(0, 2)),
}
ORDERS = list(itertools.permutations(INSTALL))
QUICK = {("pre-commit", "ours", "git-lfs"), ("ours", "git-lfs", "pre-commit")}
PAIRS = [
    pytest.param(
        there,
        back,
        marks=[] if there in QUICK and back == there[::-1] else pytest.mark.slow,
        id=f"{'+'.join(there)}-{'-'.join(back)}",
    )
    for there in ORDERS
    for back in ORDERS
]
PROGRAMS = ["pre-commit", pytest.param("prek", marks=pytest.mark.slow)]


@pytest.mark.usefixtures("git_lfs")
@pytest.mark.parametrize(("there", "back"), PAIRS)
def test_pre_commit_git_lfs_and_the_gate_go_together_in_every_order(
    gated: Gated, there: tuple[str, ...], back: tuple[str, ...]
) -> None:
    gated.git("config", "filter.lfs.process", "git-lfs filter-process")
    gated.git("config", "filter.lfs.required", "true")
    gated.family.clone.write({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    for name in there:
        INSTALL[name](gated)
        INSTALL[name](gated)
    for name in there:  # and all of them again, as a fresh `npm install` or `make setup` does
        INSTALL[name](gated)
    assert sound(gated) == "pre-commit"
    judged(gated, large=True, manager=True)
    left = list(INSTALL)
    for name in back:
        UNINSTALL[name](gated)
        left.remove(name)
        if "ours" in left:
            sound(gated)
            judged(gated, manager="pre-commit" in left)
        else:
            assert push(gated, f"main:refs/heads/rest-{len(left)}").code == 0
            no_trace_of_ours(gated)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_manager_that_is_installed_anew_after_ours_does_not_make_a_ring(gated: Gated, program: str) -> None:
    pre_commit(gated, "install", program=program)
    gated.install()
    pre_commit(gated, "install", program=program)
    assert sound(gated) == program
    judged(gated, manager=True)
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert push(gated, "main:refs/heads/after").code == 0
    no_trace_of_ours(gated)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_ring_is_seen_and_opened(gated: Gated, program: str) -> None:
    pre_commit(gated, "install", program=program)
    own = (gated.hooks / "pre-push").read_bytes()
    gated.install()
    (gated.hooks / "pre-push.before-openllm-repos").write_bytes(own + b"# an older one\n")
    (gated.hooks / "pre-push.before-openllm-repos").chmod(0o755)
    assert "migration mode" in push(gated, "main:refs/heads/topic").err
    problem = gated.status().json()["problems"][0]
    assert problem["message"] == f"{program} runs this hook, and this hook runs {program}: every push fails."
    assert said(gated, "doctor", "--offline").count("every push fails") == 1
    run(gated, *problem["next"].split())
    assert sound(gated) == program
    judged(gated, manager=True)


@pytest.mark.slow
def test_a_ring_that_is_taken_out_leaves_pre_commit_alone(gated: Gated) -> None:
    pre_commit(gated, "install")
    own = (gated.hooks / "pre-push").read_bytes()
    gated.install()
    (gated.hooks / "pre-push.before-openllm-repos").write_bytes(own)
    (gated.hooks / "pre-push.before-openllm-repos").chmod(0o755)
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    assert push(gated, "main:refs/heads/topic").code == 0
    assert traces(gated) == 1
    no_trace_of_ours(gated)


@pytest.mark.slow
def test_a_hook_of_ours_that_runs_pre_commit_gets_behind_it(gated: Gated) -> None:
    pre_commit(gated, "install")
    own = (gated.hooks / "pre-push").read_bytes()
    gated.install()
    os.replace(gated.hooks / "pre-push.legacy", gated.hooks / "pre-push")
    (gated.hooks / "pre-push.before-openllm-repos").write_bytes(own)
    (gated.hooks / "pre-push.before-openllm-repos").chmod(0o755)
    judged(gated, manager=True)
    gated.install()
    assert (gated.hooks / "pre-push").read_bytes() == own
    assert sound(gated) == "pre-commit"
    judged(gated, manager=True)


# ---- tools that move a hook aside by names of their own --------------------------------------------------------------

_RUNS_ASIDE = """#!/bin/bash
lines=$(cat)
aside=$(dirname "$0")/pre-push.old
if [ -x "$aside" ]; then printf "%s\\n" "$lines" | "$aside" "$@" || exit; fi
echo ran >> ../hook-ran
"""
_READS_ALL = '#!/bin/bash\ncat >/dev/null\n"$(dirname "$0")/pre-push.old" "$@" </dev/null\n'


@pytest.mark.parametrize("changed", ["# a newer version of it\n", pytest.param("", marks=pytest.mark.slow)])
def test_a_tool_that_moves_the_hook_aside_and_runs_it_is_left_in_its_place(gated: Gated, changed: str) -> None:
    gated.hook(_RUNS_ASIDE)
    gated.install()
    os.replace(gated.hooks / "pre-push", gated.hooks / "pre-push.old")
    gated.hook(_RUNS_ASIDE + changed)
    assert push(gated, "main:refs/heads/topic").code == 0
    assert traces(gated) == 2  # each runs the other once, and that is all
    gated.install()
    sound(gated)
    assert push(gated, "main:refs/tags/v2.0.0").code == 1
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    no_trace_of_ours(gated)
    assert push(gated, "main:refs/heads/after").code == 0


@pytest.mark.slow
def test_a_tool_that_moves_the_hook_aside_and_does_not_run_it_is_seen(gated: Gated) -> None:
    gated.install()
    os.replace(gated.hooks / "pre-push", gated.hooks / "pre-push.old")
    gated.hook("#!/bin/bash\necho ran >> ../hook-ran\n")
    [problem] = gated.status().json()["problems"]
    assert (
        f"Another tool has replaced {gated.hooks / 'pre-push'}, and moved ours to pre-push.old." == problem["message"]
    )
    assert "moved ours to pre-push.old" in said(gated, "status", "--offline")
    run(gated, *problem["next"].split())
    sound(gated)
    judged(gated, manager=True)
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    no_trace_of_ours(gated)


def test_a_hook_that_was_told_nothing_by_the_tool_that_runs_it_says_so(gated: Gated) -> None:
    gated.install()
    os.replace(gated.hooks / "pre-push", gated.hooks / "pre-push.old")
    gated.hook(_READS_ALL)
    done = push(gated, "main:refs/tags/v2.0.0")
    assert (done.code, _NOTHING in done.err.lower()) == (0, True), done.err


# ---- husky -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("git_lfs")
@pytest.mark.parametrize("ours_first", [pytest.param(True, marks=pytest.mark.slow), False])
def test_husky_runs_the_gate_by_the_lines_that_it_is_given_and_git_lfs_too(
    gated: Gated, husky_package: Path, ours_first: bool
) -> None:
    gated.git("config", "filter.lfs.process", "git-lfs filter-process")
    gated.family.clone.write({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    if ours_first:
        gated.install()
    husky(gated, husky_package)
    command = advised(gated)
    assert command == "openllm-repos hooks snippet > .husky/pre-push"
    run(gated, "sh", "-c", command)
    with (gated.path / ".husky/pre-push").open("a") as file:
        file.write('git lfs pre-push "$@"\necho ran >> ../hook-ran\n')
    husky(gated, husky_package)  # the next npm install
    assert sound(gated) == "husky"
    assert gated.install().out.startswith(f"Already installed: {gated.path / '.husky/pre-push'}.")
    judged(gated, large=True, manager=True)
    assert "called by husky" in gated.family.run("hooks", "status", cwd=gated.path).out


@pytest.mark.slow
def test_lines_for_husky_that_stand_after_a_hook_that_reads_all_say_that_they_see_nothing(
    gated: Gated, husky_package: Path
) -> None:
    husky(gated, husky_package)
    (gated.path / ".husky/pre-push").write_text("cat >/dev/null\n")
    assert advised(gated) == "openllm-repos hooks snippet  # prints the lines that go first in .husky/pre-push"
    (gated.path / ".husky/pre-push").write_text(f"cat >/dev/null\n{snippet()}")
    done = push(gated, "main:refs/tags/v2.0.0")
    assert (done.code, done.err.count(_NOTHING)) == (0, 1), done.err


def without_the_tool(folder: Path) -> dict[str, str]:
    """Return the PATH of a graphical client: the system's programs, and neither the tool nor what it runs on."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("git", "sh", "cat", "basename", "dirname"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    return {"PATH": str(programs)}


@pytest.mark.parametrize("broken", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_where_the_tool_is_not_found_husky_s_lines_warn_once_and_the_push_goes_on(
    gated: Gated, husky_package: Path, broken: bool
) -> None:
    husky(gated, husky_package)
    (gated.path / ".husky/pre-push").write_text(f'{snippet()}cat > "{gated.family.folder}/heard"\n')
    env = without_the_tool(gated.family.folder)
    if broken:  # the environment that it was installed into is gone
        script = Path(env["PATH"]) / "openllm-repos"
        script.write_text("#!/gone/python\n")
        script.chmod(0o755)
    done = push(gated, "main:refs/heads/topic", env=env)
    assert (done.code, done.err.count("warning: openllm-repos was not found")) == (0, 1), done.err
    assert "refs/heads/topic" in (gated.family.folder / "heard").read_text()
    assert "husky" not in done.err
    assert sound(gated) == "husky"


@pytest.mark.slow
def test_a_hook_of_one_s_own_that_calls_the_gate_is_known(gated: Gated) -> None:
    gated.hook(f"#!/bin/sh\n{snippet()}cat > ../hook-heard\n")
    assert sound(gated) == "other"
    assert gated.install().out.startswith("Already installed")
    judged(gated)
    assert "refs/heads/topic" in (gated.path / "../hook-heard").read_text()
    gated.hook("#!/bin/sh\n# openllm-repos hooks run pre-push is not called here\n")
    assert not gated.status().json()["installed"]


# ---- lefthook --------------------------------------------------------------------------------------------------------

_NAMED = """\
pre-push:
  scripts:
    "trace.sh": {runner: sh}
    "openllm-repos": {runner: sh, use_stdin: true}
"""


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
@pytest.mark.parametrize("ours_first", [pytest.param(True, marks=pytest.mark.slow), False])
def test_lefthook_runs_the_gate_as_a_script(gated: Gated, ours_first: bool) -> None:
    gated.git("config", "filter.lfs.process", "git-lfs filter-process")
    gated.family.clone.write({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    if ours_first:
        gated.install()
    lefthook(gated, "install")
    if ours_first:
        assert "It has moved ours to pre-push.old." in gated.status().json()["problems"][0]["message"]
        assert "It has moved ours to pre-push.old." in said(gated, "status", "--offline")
        assert "lefthook.yml" in said(gated, "doctor", "--offline")
    command = advised(gated)
    [line] = re.findall(r"names: (pre-push: .*)", gated.family.run("hooks", "install", cwd=gated.path).err)
    run(gated, "sh", "-c", command)
    assert not gated.status().json()["would_run"]  # the script alone is not run
    (gated.path / "lefthook-local.yml").write_text(f"{line}\n")
    for _ in range(2):
        lefthook(gated, "install")
    assert sound(gated) == "lefthook"
    assert gated.install().out.startswith("Already installed: ")
    judged(gated, large=True, manager=True)
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    lefthook(gated, "uninstall")
    no_trace_of_ours(gated)
    assert push(gated, "main:refs/tags/v2.0.0").code == 0


def test_a_command_of_lefthook_is_told_apart_because_it_sees_no_tags(gated: Gated) -> None:
    command = '    gate: {use_stdin: true, run: "openllm-repos hooks run pre-push {1} {2}"}\n'
    (gated.path / "lefthook.yml").write_text(f"pre-push:\n  commands:\n{command}")
    lefthook(gated, "install")
    found = gated.status().json()
    assert (found["way"], found["would_run"]) == ("lefthook", True)
    assert "lefthook leaves commands out where a push brings no new files" in found["problems"][0]["message"]
    gated.git("fetch", "-q", "origin")
    gated.git("branch", "-q", "-u", "origin/main")
    assert push(gated, "main:refs/tags/v2.0.0").code == 0


@pytest.mark.slow
def test_a_script_of_lefthook_without_use_stdin_is_told_and_says_so_itself(gated: Gated) -> None:
    lefthook(gated, "install")
    (gated.path / ".lefthook/pre-push/openllm-repos").write_text(snippet())
    (gated.path / "lefthook.yml").write_text(_NAMED.replace(", use_stdin: true", ""))
    assert gated.status().json()["problems"][0]["message"] == (
        "lefthook hands it no standard input without use_stdin: true."
    )
    done = push(gated, "main:refs/tags/v2.0.0")
    assert (done.code, _NOTHING in done.out + done.err) == (0, True)


# ---- documents -------------------------------------------------------------------------------------------------------


def test_the_documents_show_the_lines_that_the_tool_prints(run_cli: RunCli) -> None:
    text = (Path(__file__).parents[2] / "docs/hooks.md").read_text()
    printed = run_cli("hooks", "snippet").out
    assert printed == snippet()
    assert f"```sh\n{printed}```" in text
    assert "pre-push: {scripts: {openllm-repos: {runner: sh, use_stdin: true}}}" in text
