"""The command line around the commands: options, help, completion, and how failures are told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from openllm_repos import __version__
from openllm_repos.cli import app
from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import ConflictError, EnvironmentProblem, ManifestError
from tests.support.family import Family
from tests.support.inprocess import RunCli
from tests.support.process import RunTool


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Add a command `probe` whose work (`command.work`, told of the Invocation) the test chooses."""
    probe = SimpleNamespace(work=lambda _: None)

    @click.command("probe")
    @click.pass_obj
    def run(invocation: Invocation) -> object:
        return probe.work(invocation)

    module = SimpleNamespace(run=run)
    monkeypatch.setitem(sys.modules, "openllm_repos.cli.probe", module)
    monkeypatch.setattr(app, "COMMANDS", {**app.COMMANDS, "probe": app.Listed("openllm_repos.cli.probe:run", "Probe.")})
    return probe


def _raiser(error: BaseException) -> object:
    def work(_: Invocation) -> None:
        raise error

    return work


@pytest.mark.parametrize("args", [["--version"], ["-q", "--version"]])
def test_the_version(run_cli: RunCli, args: list[str]) -> None:
    done = run_cli(*args)
    assert (done.code, done.out, done.err) == (0, f"openllm-repos {__version__}\n", "")


@pytest.mark.parametrize("args", [["-h"], ["--help"], []])
def test_the_help_lists_every_command_in_80_columns(run_cli: RunCli, args: list[str]) -> None:
    done = run_cli(*args)
    shown = done.out + done.err
    for name in ("status", "diff", "sync", "split", "manifest", "demo"):
        assert re.search(rf"^  {name} +[A-Z].*", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 80
    assert done.code == (0 if args else 2)


def test_a_mistyped_command_gets_its_nearest_neighbour(run_cli: RunCli) -> None:
    done = run_cli("stauts")
    assert (done.code, done.out) == (2, "")
    assert "There is no command 'stauts'. Did you mean 'status'?" in done.err


def test_a_command_like_no_other_gets_no_guess(run_cli: RunCli) -> None:
    assert run_cli("xyzzy").err.endswith("There is no command 'xyzzy'.\n")


def test_a_wrong_option_is_a_usage_error(run_cli: RunCli) -> None:
    done = run_cli("--colour")
    assert done.code == 2
    assert "No such option" in done.err


def test_a_folder_that_is_not_there_is_a_usage_error(run_cli: RunCli) -> None:
    done = run_cli("-C", "nowhere", "status")
    assert done.code == 2
    assert "'nowhere' does not exist" in done.err


@pytest.mark.parametrize(
    ("args", "verbosity"), [((), 0), (("-q",), -1), (("-v",), 1), (("-vvv",), 2), (("-v", "-q"), 0), (("-qq",), -1)]
)
def test_options_before_the_command_reach_it(
    run_cli: RunCli, command: SimpleNamespace, tmp_path: Path, args: tuple[str, ...], verbosity: int
) -> None:
    (tmp_path / "sub").mkdir()
    seen: list[Invocation] = []
    command.work = seen.append
    assert run_cli("-C", "sub", "--manifest", "other.toml", *args, "probe").code == 0
    assert seen == [Invocation(tmp_path / "sub", tmp_path / "sub/other.toml", verbosity)]
    assert seen[0].quiet == (verbosity < 0)
    assert seen[0].manifest_path() == tmp_path / "sub/other.toml"


def test_the_manifest_is_found_from_a_folder_below_it(tmp_path: Path) -> None:
    below = tmp_path / "core/src"
    below.mkdir(parents=True)
    (tmp_path / "repos.toml").touch()
    assert Invocation(below).manifest_path() == tmp_path / "repos.toml"


def test_the_search_for_the_manifest_ends_at_the_top_of_the_repository(tmp_path: Path) -> None:
    below = tmp_path / "clone/src"
    below.mkdir(parents=True)
    (tmp_path / "clone/.git").mkdir()
    (tmp_path / "repos.toml").touch()
    assert Invocation(below).manifest_path() == below / "repos.toml"


def test_without_any_manifest_the_current_folder_is_named() -> None:
    assert Invocation(Path("/")).manifest_path() == Path("/repos.toml")


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1)])
def test_a_commands_answer_is_the_exit_code(
    run_cli: RunCli, command: SimpleNamespace, answer: int | None, code: int
) -> None:
    command.work = lambda _: answer
    assert run_cli("probe").code == code


def test_a_command_can_end_early(run_cli: RunCli, command: SimpleNamespace) -> None:
    command.work = lambda _: click.get_current_context().exit(1)
    assert run_cli("probe").code == 1


@pytest.mark.parametrize(("kind", "code"), [(ConflictError, 3), (EnvironmentProblem, 30)])
def test_an_expected_failure_is_a_sentence_and_the_next_step(
    run_cli: RunCli, command: SimpleNamespace, kind: type[ConflictError], code: int
) -> None:
    command.work = _raiser(kind("It did not work at https://ada:pw@x.example/\x1b[2J.", hint="Try again."))
    done = run_cli("probe")
    assert (done.code, done.out) == (code, "")
    assert done.err == "error: It did not work at https://***@x.example/\\x1b[2J.\nhint: Try again.\n"


def test_without_a_next_step_none_is_printed(run_cli: RunCli, command: SimpleNamespace) -> None:
    command.work = _raiser(ConflictError("No."))
    assert run_cli("probe").err == "error: No.\n"


def test_every_fault_of_a_manifest_is_listed(run_cli: RunCli, command: SimpleNamespace) -> None:
    command.work = _raiser(ManifestError("repos.toml is unsound.", faults=("a: one", "b: two"), hint="Mend it."))
    done = run_cli("probe")
    assert done.code == 2
    assert done.err == "error: repos.toml is unsound.\n  a: one\n  b: two\nhint: Mend it.\n"


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_told_in_one_line(run_cli: RunCli, command: SimpleNamespace, stop: BaseException) -> None:
    command.work = _raiser(stop)
    done = run_cli("probe")
    assert (done.code, done.out, done.err) == (130, "", "stopped: Interrupted.\n")


def test_a_file_that_click_cannot_open_does_not_read_as_a_difference(run_cli: RunCli, command: SimpleNamespace) -> None:
    command.work = _raiser(click.FileError("x", "gone"))
    assert run_cli("probe").code == 2


def test_too_little_memory_is_neither_a_difference_nor_a_bug(run_cli: RunCli, command: SimpleNamespace) -> None:
    command.work = _raiser(MemoryError())
    done = run_cli("probe")
    assert (done.code, done.err.splitlines()[0]) == (30, "error: There is not enough memory.")


@pytest.mark.parametrize("verbose", [False, True])
def test_a_bug_of_ours_is_one_line_and_a_report_without_secrets(
    run_cli: RunCli, command: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verbose: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    command.work = _raiser(KeyError("https://ada:pw@x.example/\x1b[2J"))
    done = run_cli(*(["-v"] if verbose else []), "probe")
    assert done.code == 31
    assert done.err.startswith(
        "error: openllm-repos failed in a way it should not (KeyError: 'https://***@x.example/\\x1b[2J').\n"
        "hint: Please report this; the report is in "
    )
    [report] = tmp_path.glob("openllm-repos-report-*.txt")
    assert str(report) in done.err
    text = report.read_text()
    assert text.startswith(f"openllm-repos {__version__}\nPython ")
    assert "Traceback" in text
    assert "ada:pw" not in text + done.err
    assert ("Traceback" in done.err) == verbose
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_bug_is_told_even_where_no_report_can_be_written(
    run_cli: RunCli, command: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    command.work = _raiser(ValueError())
    done = run_cli("probe")
    assert done.code == 31
    assert "(ValueError: no message)" in done.err
    assert "hint: Please report this. Nothing" in done.err


def test_a_reader_that_goes_away_ends_the_command_quietly(run_cli: RunCli, command: SimpleNamespace) -> None:
    command.work = _raiser(BrokenPipeError())
    done = run_cli("probe")
    assert (done.code, done.out, done.err) == (141, "", "")


def test_a_pipe_that_is_closed_early_leaves_no_complaint(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "openllm_repos", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["0", "1", "2"])
def test_a_process_without_a_standard_stream_does_its_work(family: Family, closed: str) -> None:
    run = f"exec '{sys.executable}' -m openllm_repos sync --yes {closed}>&-"
    done = subprocess.run(["sh", "-c", run], capture_output=True, cwd=family.clone.path, check=False)
    assert done.returncode == 0, done
    assert b"error" not in done.stderr
    assert "training/train.py" in family.space.paths()


@pytest.mark.slow
def test_colour_only_on_a_terminal_that_wants_it(
    run_cli: RunCli, command: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pty

    command.work = _raiser(ConflictError("No.", hint="Yes."))
    script = (
        "from openllm_repos.cli.failures import tell; from openllm_repos.errors import ConflictError;"
        "tell(ConflictError('No.', hint='Yes.'))"
    )

    def shown(**env: str) -> bytes:
        ours, theirs = pty.openpty()
        kept = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        subprocess.run([sys.executable, "-c", script], stderr=theirs, env=kept | env, check=True)
        os.close(theirs)
        text = os.read(ours, 4096)
        os.close(ours)
        return text

    assert b"\x1b[31m\x1b[1merror\x1b[0m: No." in shown()
    assert shown(NO_COLOR="1") == b"error: No.\r\nhint: Yes.\r\n"
    monkeypatch.delenv("NO_COLOR")
    assert run_cli("probe").err == "error: No.\nhint: Yes.\n"


@pytest.mark.slow
def test_the_shell_completes_commands_and_options_without_loading_them(run_tool: RunTool) -> None:
    ask = {"_OPENLLM_REPOS_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    assert run_tool(env=ask | {"COMP_WORDS": "openllm-repos sp"}).out.split() == ["plain,split"]
    assert "plain,--manifest" in run_tool(env=ask | {"COMP_WORDS": "openllm-repos --m"}).out.split()


def test_below_an_unknown_command_there_is_nothing_to_complete(run_tool: RunTool) -> None:
    ask = {"_OPENLLM_REPOS_COMPLETE": "bash_complete", "COMP_CWORD": "2", "COMP_WORDS": "openllm-repos xyzzy s"}
    done = run_tool(env=ask)
    assert (done.err, [line for line in done.out.split() if line.startswith("plain,xyzzy")]) == ("", [])


def test_whoever_asks_click_for_the_commands_gets_the_table() -> None:
    assert app.group.list_commands(click.Context(app.group)) == list(app.COMMANDS)


def test_completion_scripts_come_from_the_command_itself(run_tool: RunTool) -> None:
    done = run_tool(env={"_OPENLLM_REPOS_COMPLETE": "zsh_source"})
    assert done.code == 0
    assert done.out.startswith("#compdef openllm-repos")


@pytest.mark.parametrize(
    "args",
    [
        ("-C", "sub", "--manifest", "other.toml", "-vv", "probe"),
        ("probe", "-C", "sub", "--manifest", "other.toml", "-vv"),
        ("probe", "--manifest", "other.toml", "-vvC", "sub"),
        ("-v", "-C", "sub", "probe", "--verbose", "--manifest=other.toml"),
    ],
)
def test_the_options_of_the_program_stand_anywhere(
    run_cli: RunCli, command: SimpleNamespace, tmp_path: Path, args: tuple[str, ...]
) -> None:
    (tmp_path / "sub").mkdir()
    seen: list[Invocation] = []
    command.work = seen.append
    assert run_cli(*args).code == 0
    assert seen == [Invocation(tmp_path / "sub", tmp_path / "sub/other.toml", 2)]
    assert seen[0].arguments == args


def test_every_command_takes_the_options_of_the_program(run_cli: RunCli) -> None:
    for context in every_command():
        path = context.command_path.split()[1:]
        for option in (("-q",), ("-v",), ("-C", "."), ("--manifest", "x")):
            done = run_cli(*path, *option, "--help")
            assert (done.code, done.err) == (0, ""), (path, option)


@pytest.mark.parametrize("args", [("-q", "list"), ("list", "-q"), ("-q", "--json", "list"), ("-n", "-q", "0.1.0")])
def test_a_version_may_stand_where_a_command_of_release_may(family: Family, args: tuple[str, ...]) -> None:
    done = family.run("release", *args, cwd=family.clone.path)
    assert done.code in {0, 2, 3}
    assert "No such option" not in done.err
    assert ("There is no release yet." in done.out) == ("--json" not in args and "list" in args)


def test_options_stand_in_one_order_and_what_may_be_repeated_says_so() -> None:
    """-n before -y; and no line of a list of commands is cut."""
    for context in every_command():
        command = context.command
        options = [one for one in command.params if isinstance(one, click.Option)]
        names = ["/".join(one.opts) for one in options]
        assert [name for name in ("-n/--dry-run", "-y/--yes") if name in names] == [
            name for name in names if name in {"-n/--dry-run", "-y/--yes"}
        ], context.command_path
        for one in options:
            told = "repeatable" in (one.help or "") or "once" in (one.help or "")  # a second one is refused there
            assert one.multiple <= told, (context.command_path, one.name)
        if isinstance(command, click.Group) and context.parent is not None:
            assert "..." not in command.get_help(context).partition("Commands:")[2], context.command_path


def test_what_takes_several_repos_takes_a_group_of_them_too() -> None:
    found = set()
    for context in every_command():
        several = [one for one in context.command.params if isinstance(one, click.Argument) and one.nargs == -1]
        if any(one.type.name in {"repo", "target"} for one in several):
            assert any("--group" in one.opts for one in context.command.params), context.command_path
            found.add(context.command.name)
    assert found == {"sync", "diff", "status", "targets", "publish", "pin"}


def every_command() -> Iterator[click.Context]:
    """Yield every command and subcommand, each as the help sees it."""
    top = click.Context(app.group, info_name="openllm-repos")
    for name in app.COMMANDS:
        command = app.group.get_command(top, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=top, terminal_width=80)
        yield below
        for inner in command.commands.values() if isinstance(command, click.Group) else ():
            yield click.Context(inner, info_name=inner.name, parent=below, terminal_width=80)
