"""Fixtures of every test. The environment is sealed for all of them; the rest is there for those that ask."""

from __future__ import annotations

import gc
import itertools
import os
import random
import signal
import sys
import threading
from typing import TYPE_CHECKING

import hypothesis
import pytest

from openllm_repos.git.process import program
from openllm_repos.sandbox import Sandbox
from tests.support.canary import Canary
from tests.support.examples import examples
from tests.support.family import Family
from tests.support.hosts import Hosts
from tests.support.hub_family import HubFamily
from tests.support.inprocess import RunCli, run_in_process
from tests.support.needs import Hiding, need, need_husky, need_program
from tests.support.process import REAL_GIT, Result, RunTool
from tests.support.process import run_tool as run_tool_in
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome, guard_network, lead_to, seal
from tests.support.server import GitServer
from tests.support.shim import GitShim
from tests.support.ssh import FakeSsh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_numbers = itertools.count()

# Folders whose tests each tell a story with real processes.
_STORIES = frozenset({"e2e", "faults", "sandbox"})

# Real git takes its time, and a shared machine more: slowness is not what properties are about.
hypothesis.settings.register_profile(
    "real-git",
    parent=examples(100),
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("real-git")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of random tests where none was given, so that the header can name it; let Ctrl-C be heard."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it puts into the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as nohup does
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


@pytest.hookimpl(tryfirst=True)  # before `-m "not slow"` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to CI all but the first quick case of most stories; do not measure slow tests and the random family.

    Measuring takes half as long again.
    """
    begun: set[str] = set()
    for item in items:
        folder = item.path.parent.name
        story = item.nodeid.partition("[")[0]
        if folder in _STORIES and story in begun and item.get_closest_marker("each_case") is None:
            item.add_marker("slow")
        slow = item.get_closest_marker("slow") is not None
        if not slow:
            begun.add(story)
        if slow or item.path.stem == "test_family_stateful":
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Measure nothing where pytest-cov was told so: in a worker it measures twice, and pauses one of the two."""
    if item.get_closest_marker("no_cover") is not None:
        sys.settrace(None)
        threading.settrace(None)
    yield


def pytest_collection_finish() -> None:
    """Let no later collection of garbage look at the thousands of tests, which stay."""
    gc.freeze()


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed: `--hypothesis-seed=N` runs the same random tests again."""
    return f"random tests: --hypothesis-seed={config.option.hypothesis_seed}"


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the homes of all tests are made in."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="session")
def tools(homes: Path) -> Hiding:
    """Return what hides optional programs from whoever does not ask for their fixture."""
    return Hiding(homes / "tools")


@pytest.fixture(scope="session", autouse=True)
def _sealed_session(homes: Path, tools: Hiding) -> Iterator[None]:
    """Seal what fixtures of a wider scope than one test do."""
    with pytest.MonkeyPatch.context() as patch:
        seal(homes / "session", patch)
        tools.set(patch)
        guard_network(patch)
        yield


@pytest.fixture(autouse=True)
def home(homes: Path, tools: Hiding, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SealedHome:
    """Give the test a home of its own; `home.set(key, value)` writes its global git configuration."""
    made = seal(homes / f"home-{next(_numbers)}", monkeypatch)
    tools.set(monkeypatch, request.fixturenames)
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # nor of the processes that it starts
    return made


# ---- programs that not every machine has (see tests/support/needs.py) ------------------------------------------------


@pytest.fixture(scope="session")
def git_subtree() -> None:
    """Let the test find `git subtree`."""
    need("git_subtree")


@pytest.fixture(scope="session")
def git_lfs() -> None:
    """Let the test find `git lfs`."""
    need("git_lfs")


@pytest.fixture(scope="session")
def chromium() -> None:
    """Let the test find chromium and its driver."""
    need("chromium")


@pytest.fixture(scope="session")
def node() -> None:
    """Let the test find node."""
    need("node")


@pytest.fixture(scope="session")
def husky_package(node: None) -> Path:
    """Return where the package of husky is, which runs in node."""
    del node
    return need_husky()


@pytest.fixture(scope="session")
def act() -> str:
    """Return where nektos/act is, which runs workflows."""
    return need_program("act")


@pytest.fixture(scope="session")
def linters() -> tuple[str, str]:
    """Return where actionlint and zizmor are, which judge workflows."""
    return need_program("actionlint"), need_program("zizmor")


# ---- what tests stand on ---------------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Return an empty repository with a work tree, on branch main."""
    return Clone.init(tmp_path / "clone")


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    """Return an empty bare repository, reachable by its file:// URL."""
    return Bare.init(tmp_path / "bare.git")


@pytest.fixture
def server(tmp_path: Path, home: SealedHome) -> Iterator[GitServer]:
    """Return a running git server (HTTP, and HTTPS when asked) without repositories."""
    with GitServer(tmp_path / "server", home=home) as running:
        yield running


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Return a running GitHub and Hub without repositories; the environment leads there, as a person who may write."""
    with Sandbox(tmp_path / "sandbox", git=REAL_GIT) as running:
        lead_to(running, monkeypatch)
        yield running
    assert running.mishaps == []


@pytest.fixture
def canary(sandbox: Sandbox, home: SealedHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Run the test with tokens of their own, written nowhere; `canary.leaks(...)` searches for them afterwards."""
    with Canary(home.folder / "canary", sandbox) as watching:
        for name, value in watching.environment.items():
            monkeypatch.setenv(name, value)
        program.cache_clear()
        yield watching
    program.cache_clear()


@pytest.fixture
def hub_family(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli) -> HubFamily:
    """Return a source on the sandbox's GitHub, and a Space with an app on its Hub."""
    return HubFamily.on(sandbox, tmp_path / "family", run_cli)


@pytest.fixture
def ssh(tmp_path: Path, home: SealedHome, monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
    """Make ssh:// URLs land on the bare repositories below `tmp_path / "ssh"`."""
    root = tmp_path / "ssh"
    root.mkdir()
    stand_in = FakeSsh(home.folder / "fakessh", root)
    home.set("ssh.variant", "ssh")
    home.set("core.sshCommand", str(stand_in.script))
    monkeypatch.setenv("GIT_SSH_COMMAND", str(stand_in.script))
    return stand_in


@pytest.fixture
def shim(home: SealedHome, monkeypatch: pytest.MonkeyPatch) -> GitShim:
    """Put a GitShim before git on the PATH; it lets every call through until it is armed."""
    made = GitShim(home.folder / "shim")
    monkeypatch.setenv("PATH", made.path(os.environ["PATH"]))
    return made


@pytest.fixture
def run_cli(tmp_path: Path) -> RunCli:
    """Return the command line as a function (see RunCli); it runs in `tmp_path` unless told otherwise."""

    def run(*args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result:
        return run_in_process(*args, cwd=cwd or tmp_path, data=data)

    return run


@pytest.fixture
def family(tmp_path: Path, run_cli: RunCli) -> Family:
    """Return a source with a first commit that is pushed, and an empty Space."""
    return Family.make(tmp_path / "family", run_cli)


@pytest.fixture
def hosts(tmp_path: Path, home: SealedHome) -> Hosts:
    """Return GitHub and the Hub as folders, with the real URLs leading there, and a clone of OpenLLM's source."""
    return Hosts.make(tmp_path / "hosts", home)


@pytest.fixture
def run_tool(tmp_path: Path) -> RunTool:
    """Return the tool as a function (see RunTool); it runs in `tmp_path` unless told otherwise."""

    def run(
        *args: str | Path,
        cwd: Path | None = None,
        data: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result:
        return run_tool_in(*args, cwd=cwd or tmp_path, data=data, env=env, timeout=timeout)

    return run
