"""What `openllm-repos status` prints: for people, for programs, for a page, for a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.family import Family
from tests.support.repositories import Bare, Clone
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result
    from tests.support.server import GitServer

WIPE = "\x1b[2K"
COLOURS = {"NO_COLOR": "", "TERM": "xterm", "COLUMNS": ""}


def status(family: Family, *args: str) -> Result:
    return family.run("status", *args, cwd=family.clone.path)


@pytest.mark.slow
def test_the_json_of_a_family(family: Family) -> None:
    """The whole of it, as docs/json.md describes it."""
    family.synced()
    family.space.git("tag", "v0.1.0", "main")
    fix = family.edit("Fix there", {"training/train.py": "fixed\n"})
    commit = family.commit("Fix here", {"core/src/model.py": "fixed\n"})
    assert status(family, "--json").json() == {
        "schema": 1,
        "project": "openllm",
        "source": {"name": "main", "commit": commit},
        "remembered": False,
        "differs": True,
        "repos": [
            {
                "name": "main",
                "kind": "git",
                "role": "source",
                "url": family.origin.url,
                "branch": "main",
                "state": "ok",
                "tip": commit,
                "behind": 0,
                "ahead": 0,
                "drift": {"commits": [], "files": []},
                "release": None,
                "changed": family.clone.log(form="%cI")[0].replace("Z", "+00:00"),
                "space": None,
                "held": None,
                "pin": None,
                "stopped": None,
            },
            {
                "name": "space",
                "kind": "git",
                "role": "target",
                "url": family.space.url,
                "branch": "main",
                "state": "diverged",
                "tip": fix,
                "behind": 1,
                "ahead": 0,
                "drift": {"commits": [fix], "files": [{"path": "training/train.py", "change": "modified"}]},
                "release": "v0.1.0",
                "changed": family.space.log(form="%cI")[0].replace("Z", "+00:00"),
                "space": None,
                "held": None,
                "pin": None,
                "stopped": None,
            },
        ],
        "problems": [
            {
                "repo": "space",
                "message": "lacks 1 commit of the source, and changed 1 mapped file by itself (1 commit).",
                "next": "openllm-repos diff space\nopenllm-repos sync space",
            }
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--json", "--markdown"])
def test_what_is_no_table_for_a_terminal_needs_neither_a_table_nor_colours(family: Family, form: str) -> None:
    script = (
        f"import sys; from openllm_repos.cli import main; code = main(['status', '{form}']);"
        "print(sorted({'rich', 'git', 'tomlkit'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=family.clone.path, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


def test_as_markdown(family: Family) -> None:
    family.synced()
    gone = family.folder / "go_ne.git"
    family.manifest(more=f'[repos.data]\nurl = "{gone.as_uri()}"\n')
    family.clone.commit("Not pushed", {"docs/guide.md": "new\n"})
    lines = status(family, "--markdown").out.splitlines()
    assert lines[:6] == [
        "| repo | kind | branch | state | release |",
        "| --- | --- | --- | --- | --- |",
        "| main | git | main | ahead 1 | - |",
        "| space | git | main | in sync | - |",
        "| data | git | main | unreachable | - |",
        "",
    ]
    assert lines[6] == "- **main**: lacks 1 commit that this clone has. Next: `git push origin main`"
    assert lines[7].startswith("- **data**: is unreachable: ")
    assert "go\\_ne" in lines[7]
    assert "`" not in lines[7]


@pytest.mark.slow
def test_in_markdown_each_command_is_code_by_itself(family: Family) -> None:
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.commit("Fix here", {"core/src/model.py": "fixed\n"})
    (line,) = [line for line in status(family, "--markdown").out.splitlines() if line.startswith("- ")]
    assert line.endswith(" Next: `openllm-repos diff space`, then `openllm-repos sync space`")
    family.synced()
    old = family.clone.tip()
    family.clone.git("reset", "-q", "--hard", "HEAD^")
    family.push()
    said = status(family, "--markdown").out
    assert f"(lets it follow, by one commit), or `git fetch origin {old}:kept` (keep it: merge this branch)" in said


def test_the_table_fits_80_columns_however_long_the_names_are(family: Family) -> None:
    name, branch = "n" * 64, "release/" + "b" * 100
    made = Bare.init(family.folder / "long.git")
    family.clone.git("push", "-q", made.url, f"main:refs/heads/{branch}", "main:refs/tags/v1.0+" + "t" * 60)
    family.manifest(more=f'[repos.{name}]\nurl = "{made.url}"\nbranch = "{branch}"\n')
    table = status(family).out.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= 80
    assert table[3].split() == [name, "ok"]
    assert len({line.index(state) for line, state in zip(table, ("state", "ok", "empty", "ok"), strict=True)}) == 1


def test_repos_with_the_same_problem_share_its_lines(family: Family) -> None:
    others = [Bare.init(family.folder / f"{name}.git") for name in ("one", "two")]
    family.manifest(more="\n".join(f'[repos.{made.path.stem}]\nurl = "{made.url}"' for made in others))
    lines = status(family, "--offline").out.splitlines()
    assert "main, space, one, two: never fetched by this clone." in lines
    assert len([line for line in lines if "never fetched" in line]) == 1


@pytest.mark.slow
def test_on_a_terminal_states_have_colours(family: Family) -> None:
    family.synced()
    done = run_on_terminal("status", cwd=family.clone.path, env=COLOURS)
    assert done.code == 0
    assert "\x1b[32mok" in done.out
    assert "\x1b[32min sync" in done.out
    assert "\x1b[0m  -\n" in done.out


@pytest.mark.slow
def test_on_a_terminal_the_wait_is_told_until_the_answer_comes(
    tmp_path: Path, run_cli: RunCli, server: GitServer
) -> None:
    """The line is written again and again in its place, and wiped before the table; the cursor stays visible."""
    family = https_family(tmp_path, run_cli, server)
    server.on("space.git", latency=1.5)
    shown = run_on_terminal("status", cwd=family.clone.path, env=COLOURS).out
    waited, _, table = shown.rpartition(WIPE)
    assert "waiting for main, space" in waited or "waiting for space" in waited
    assert f"\r{WIPE}" in waited
    assert waited.rpartition("\x1b[?25")[2].startswith("h")
    assert table.startswith("repo ")
    assert "waiting" not in table


@pytest.mark.slow
def test_the_wait_is_one_line_however_many_repos_there_are(tmp_path: Path, run_cli: RunCli, server: GitServer) -> None:
    family = https_family(tmp_path, run_cli, server)
    server.on("space.git", latency=1.5)
    late = [f"{letter * 40}.git" for letter in "abcd"]
    for name in late:
        server.create(name)
        server.on(name, latency=1.5)
    urls = [(name.removesuffix(".git"), server.https_url(name)) for name in late]
    family.manifest(more="\n".join(f'[repos.{name}]\nurl = "{url}"' for name, url in urls))
    waited = run_on_terminal("status", cwd=family.clone.path, env=COLOURS).out.rpartition(WIPE)[0]
    lines = [line for line in re.split(r"[\r\n]|\x1b\[[?\d]*[A-Za-z]", waited) if "waiting" in line]
    assert lines
    assert max(map(len, lines)) <= 80
    assert any(line.endswith("…") for line in lines)


@pytest.mark.slow
def test_who_asked_for_quiet_or_is_offline_or_has_a_dumb_terminal_waits_in_silence(
    tmp_path: Path, run_cli: RunCli, server: GitServer
) -> None:
    family = https_family(tmp_path, run_cli, server)
    server.on("space.git", latency=0.5)
    for args, env in (
        (("-q", "status"), COLOURS),
        (("status", "--offline"), COLOURS),
        (("status", "--json"), COLOURS),
        (("status",), {**COLOURS, "TERM": "dumb"}),
    ):
        shown = run_on_terminal(*args, cwd=family.clone.path, env=env).out
        assert "waiting" not in shown
        assert shown.startswith(("repo ", "{"))


@pytest.mark.slow
def test_what_is_to_be_done_is_yellow_and_what_nobody_knows_red(family: Family) -> None:
    family.manifest(more='[repos.gone]\nurl = "file:///no/such/folder"\n')
    shown = run_on_terminal("status", cwd=family.clone.path, env=COLOURS).out
    assert "\x1b[33mempty" in shown
    assert "\x1b[31munreachable" in shown


@pytest.mark.slow
@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
def test_who_wants_no_colours_gets_none(family: Family, plain: dict[str, str]) -> None:
    shown = run_on_terminal("-q", "status", cwd=family.clone.path, env={**COLOURS, **plain}).out
    assert "space  git   main    empty  -\n" in shown
    assert "\x1b" not in shown


def test_into_a_pipe_goes_plain_text_of_80_columns(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of the terminal that is not there."""
    expected = status(family).out
    for name, value in {**COLOURS, "COLUMNS": "30", "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}.items():
        monkeypatch.setenv(name, value)
    assert status(family).out == expected
    assert "\x1b" not in expected
    assert [line for line in expected.splitlines() if line.endswith(" ")] == []


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "widest"), [("50", 50), ("3", 40), ("0", 80)])
def test_on_a_terminal_the_lines_fit_it(family: Family, columns: str, widest: int) -> None:
    """A terminal of less than 40 columns is taken for one of 40, and 0 says nothing."""
    made = Bare.init(family.folder / "long.git")
    family.manifest(more=f'[repos.{"n" * 64}]\nurl = "{made.url}"\n')
    shown = run_on_terminal("-q", "status", cwd=family.clone.path, env={**COLOURS, "COLUMNS": columns}).out
    table = re.sub(r"\x1b\[\d+m", "", shown).partition("\n\n")[0].splitlines()
    assert max(map(len, table)) == widest


def test_what_a_remote_says_cannot_act_on_the_terminal(family: Family) -> None:
    """A branch name may hold what a terminal obeys, such as a change of direction."""
    made = Bare.init(family.folder / "odd.git")
    family.clone.git("push", "-q", made.url, "main:refs/heads/a\u202eb")
    family.manifest(more=f'[repos.odd]\nurl = "{made.url}"\n')
    for args in ((), ("--markdown",)):
        out = status(family, *args).out
        assert "\u202e" not in out
        assert "u202eb" in out


def https_family(tmp_path: Path, run_cli: RunCli, server: GitServer) -> Family:
    """Return a family whose remotes are on a server, over https."""
    made = Family.make(tmp_path / "far", run_cli, origin=server.create("origin.git"), space=server.create("space.git"))
    made.urls = {"main": server.https_url("origin.git"), "space": server.https_url("space.git")}
    made.manifest()
    return made


@pytest.mark.slow
def test_over_https(tmp_path: Path, run_cli: RunCli, server: GitServer) -> None:
    family = https_family(tmp_path, run_cli, server)
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.clone.commit("Not pushed", {"configs/small.json": "[]\n"})
    shown = status(family, "--json").json()
    assert [repo["state"] for repo in shown["repos"]] == ["ahead", "diverged"]
    assert server.pushes() == ["space.git"]


@pytest.mark.slow
def test_a_dead_remote_holds_up_nothing_beyond_its_deadline(tmp_path: Path, run_cli: RunCli, server: GitServer) -> None:
    """It takes the connection and never answers; the others are shown as they are."""
    family = https_family(tmp_path, run_cli, server)
    server.create("dead.git")
    server.on("dead.git", dead=True)
    family.manifest(more=f'[repos.dead]\nurl = "{server.https_url("dead.git")}"\n')
    begin = time.monotonic()
    done = status(family, "--deadline", "4")
    assert time.monotonic() - begin < 60
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.partition("\n\n")[0].splitlines()}
    assert " unreachable " in rows["dead"]
    assert (" ok " in rows["main"], " empty " in rows["space"]) == (True, True)
    assert "dead: is unreachable: no answer within 4 seconds." in done.out


def test_a_remote_that_wants_a_password_is_unreachable_and_nobody_is_asked(
    tmp_path: Path, run_cli: RunCli, server: GitServer
) -> None:
    family = https_family(tmp_path, run_cli, server)
    server.on("space.git", account=("ada", "secret"))
    done = status(family)
    assert done.code == 0
    assert "space: is unreachable: could not read Username" in done.out
    assert "secret" not in done.out


def test_a_server_that_is_not_trusted_is_unreachable(tmp_path: Path, run_cli: RunCli, server: GitServer) -> None:
    """A quicker way to trust certificates must not trust more of them."""
    family = https_family(tmp_path, run_cli, server)
    assert server.home is not None
    server.home.config.write_text(
        "\n".join(line for line in server.home.config.read_text().splitlines() if "sslCAInfo" not in line)
    )
    done = status(family)
    assert done.out.count(" unreachable ") == 2
    assert "ertificate" in done.out


def test_a_bare_clone_and_a_linked_work_tree_answer_too(family: Family, tmp_path: Path) -> None:
    family.commit("Manifest")
    family.synced()
    bare = Clone.of(family.origin.url, tmp_path / "bare", "--bare")
    family.clone.git("worktree", "add", "-q", "--detach", tmp_path / "linked")
    for place in (bare.path, tmp_path / "linked"):
        shown = family.run("status", "--json", cwd=place).json()
        assert [repo["state"] for repo in shown["repos"]] == ["ok", "in sync"]


@pytest.mark.slow
def test_targets_wait_for_a_source_that_answers_last(tmp_path: Path, run_cli: RunCli, server: GitServer) -> None:
    """A clone without a branch of its own learns from the source's remote what the targets are held against."""
    family = https_family(tmp_path, run_cli, server)
    family.commit("Manifest")
    family.synced()
    job = Clone.of(server.https_url("origin.git"), tmp_path / "job")
    job.git("checkout", "-q", "--detach")
    job.git("branch", "-q", "-D", "main")
    server.on("origin.git", latency=1.5)
    shown = family.run("status", "--json", cwd=job.path).json()
    assert [repo["state"] for repo in shown["repos"]] == ["ok", "in sync"]
