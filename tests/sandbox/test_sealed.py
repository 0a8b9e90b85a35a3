"""Whatever a person's machine says, the sandbox and the demo reach nothing but this machine, and work."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from openllm_repos.cli.sandbox import _as_text
from openllm_repos.sandbox import Sandbox
from tests.support.hostile import SETTINGS, SHELLS, Hostile, Watch
from tests.support.process import run_git, run_tool
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SOURCE = "https://github.com/louischua/openllm"
SPACE = "https://huggingface.co/spaces/lemms/openllm"
SLOW = pytest.mark.slow
EVERY_SETTING, EVERY_SHELL = "every setting at once", "every shell at once"
# The default run has all at once, and of a clone's own settings those that lead out by different ways.
MACHINES = [EVERY_SETTING, EVERY_SHELL, *(pytest.param(name, marks=SLOW) for name in (*SETTINGS, *SHELLS))]
OFTEN = {"pushes to GitHub by ssh", "one owner by ssh", "another server", "a remote with a proxy", "every transport"}


def _named(name: str) -> Hostile:
    """Return one machine of the tables, or one that has all that a table says."""
    tables = {EVERY_SETTING: SETTINGS, EVERY_SHELL: SHELLS}
    if name in tables:
        return functools.reduce(Hostile.__or__, tables[name].values(), Hostile())
    return {**SETTINGS, **SHELLS}[name]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Write down whatever leaves this machine."""
    with Watch(tmp_path / "machine") as watching:
        yield watching


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Serve a sandbox with a source and a Space."""
    with Sandbox(tmp_path_factory.mktemp("served")) as running:
        running.github.create("louischua/openllm")
        running.hub.create("space", "lemms/openllm", empty=True)
        yield running


def in_terminal(script: str, sandbox: Sandbox, env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Type the lines that `sandbox` prints into a shell of that environment, and then a script."""
    (cwd / "lines").write_text(_as_text(sandbox))
    command = ["sh", "-ec", f". ./lines\n{script}"]
    return subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=120, check=False)


# ---- the export lines ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", MACHINES)
def test_with_the_lines_of_the_sandbox_git_pushes_there_and_nowhere_else(
    name: str, served: Sandbox, watch: Watch, tmp_path: Path
) -> None:
    env = watch.environment(_named(name))
    script = f"""
        git init -q clone && cd clone && echo {name!r} > file && git add file
        git -c user.name=A -c user.email=a@example.org commit -qm {name!r}
        git remote add origin {SOURCE}
        git push -q origin +HEAD:refs/heads/main
        git push -q {SPACE} +HEAD:refs/heads/main
        git ls-remote origin main
    """
    done = in_terminal(script, served, env, tmp_path)
    assert watch.left() == []
    assert done.returncode == 0, done.stderr
    tip = done.stdout.split()[0]
    assert Bare(served.github.path("louischua/openllm")).tip("main") == tip
    assert Bare(served.hub.path("space", "lemms/openllm")).tip("main") == tip


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in OFTEN else SLOW) for name in SETTINGS])
def test_what_a_clones_own_configuration_says_leads_nowhere_either(
    name: str, served: Sandbox, watch: Watch, tmp_path: Path
) -> None:
    """It works or git refuses; hooks, editors and signatures are the clone's own business, and so left out."""
    clone = Clone.init(tmp_path / "clone")
    tip = clone.commit(name, {"file": name})
    clone.git("remote", "add", "origin", SOURCE)
    for key, value in SETTINGS[name].settings:
        if not key.startswith(("core.hooksPath", "core.fsmonitor", "core.pager", "core.editor", "gpg.", "push.gpg")):
            clone.git("config", "--add", key, watch.fill(value))
    script = f"""
        cd clone
        git fetch -q origin
        git push -q origin +HEAD:refs/heads/main
        git push -q {SPACE} +HEAD:refs/heads/main
    """
    done = in_terminal(script, served, watch.environment(Hostile()), tmp_path)
    assert watch.left() == []
    assert done.returncode != 0 or Bare(served.github.path("louischua/openllm")).tip("main") == tip


def test_a_clone_that_asks_for_ssh_is_told_why_not(served: Sandbox, watch: Watch, tmp_path: Path) -> None:
    script = "GIT_ALLOW_PROTOCOL=ssh git ls-remote git@example.org:me/x"
    done = in_terminal(script, served, watch.environment(Hostile()), tmp_path)
    assert done.returncode != 0
    assert "The sandbox has no ssh, and lets nothing leave this machine" in done.stderr
    assert watch.left() == []


def test_other_hosts_are_refused_with_a_sentence(served: Sandbox, watch: Watch, tmp_path: Path) -> None:
    script = "from urllib.request import urlopen; from urllib.error import HTTPError\n"
    script += "for url in ('http://example.org/', 'https://example.org/'):\n"
    script += "    try: urlopen(url)\n    except HTTPError as no: print(no.code, no.read().decode())\n"
    script += "    except OSError as no: print(no)\n"
    (tmp_path / "ask.py").write_text(script)
    done = in_terminal(f"{sys.executable} ask.py", served, watch.environment(Hostile()), tmp_path)
    assert "403 The sandbox lets nothing leave this machine: 'example.org' is not reached." in done.stdout
    assert "Tunnel connection failed: 403" in done.stdout
    assert watch.left() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [EVERY_SHELL, "another Hub"])
def test_the_hubs_own_client_comes_to_the_sandbox(name: str, served: Sandbox, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(
        "import huggingface_hub as hub\n"
        "print(hub.whoami()['name'], hub.space_info('lemms/openllm').id, hub.constants.HF_HOME)\n"
    )
    done = in_terminal(f"{sys.executable} ask.py", served, watch.environment(_named(name)), tmp_path)
    assert done.stdout.split() == ["lemms", "lemms/openllm", str(served.root / "person/huggingface")], done.stderr
    assert watch.left() == []


def test_of_a_persons_configuration_their_name_comes_along_and_nothing_else(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Hostile((("user.name", "Ada Ünal"), ("user.email", "ada@example.org"), ("user.signingKey", "ABC")))
    for name, value in watch.environment(mine | SETTINGS["GitHub by ssh"]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    with Sandbox(tmp_path / "sandbox") as sandbox:
        sandbox.copy_identity()
        done = in_terminal("git config --global --list", sandbox, watch.environment(mine), tmp_path)
    rows = dict(row.split("=", 1) for row in done.stdout.splitlines())
    assert (rows["user.name"], rows["user.email"]) == ("Ada Ünal", "ada@example.org")
    assert not any(key.startswith(("url.", "user.signing")) for key in rows)


def test_a_configuration_that_git_cannot_read_costs_the_name_alone(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in watch.environment(Hostile(raw="[user\n")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    with Sandbox(tmp_path / "sandbox") as sandbox:
        sandbox.copy_identity()
        assert "user" not in run_git("config", "--global", "--list", cwd=tmp_path, env=sandbox.environment()).out


# ---- the demo --------------------------------------------------------------------------------------------------------


def tell(hostile: Hostile, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the demo on a machine; it must end well, and reach nothing."""
    env = watch.environment(hostile)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT", "GIT_EDITOR"):
        monkeypatch.delenv(name)
    done = run_tool("demo", tmp_path / "demo", cwd=tmp_path, env=env, timeout=300)
    assert watch.left() == []
    assert done.code == 0, done.err
    assert "v0.2.0: complete, 5 repos" in done.out
    assert Bare(tmp_path / "demo/remotes/github/git/louischua/openllm.git").tip("main")


@pytest.mark.slow
def test_the_demo_ends_well_whatever_a_person_has_set(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(_named(EVERY_SETTING), watch, tmp_path, monkeypatch)


@pytest.mark.slow
def test_the_demo_ends_well_whatever_a_shell_says_and_in_another_sandbox(
    watch: Watch, served: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(served.hub.log), len(served.github.log)
    outer = Hostile(variables=served.environment(plain_git=True))
    tell(_named(EVERY_SHELL) | outer, watch, tmp_path, monkeypatch)
    assert (len(served.hub.log), len(served.github.log)) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SETTINGS, *SHELLS])
def test_the_demo_ends_well_on_each_machine(
    name: str, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(_named(name), watch, tmp_path, monkeypatch)
