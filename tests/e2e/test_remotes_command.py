"""`remotes` and `remotes sync`: the clone's git remotes equal to the manifest, and nothing of the person's touched."""

from __future__ import annotations

import pytest

from tests.support.fingerprint import listing
from tests.support.hosts import SPACE, Hosts
from tests.support.inprocess import RunCli

HUB = "https://huggingface.co"
MANIFEST = f"""\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "{SPACE}"
[repos.small]
model = "lemms/small"
"""


@pytest.fixture(autouse=True)
def _manifest(hosts: Hosts) -> None:
    hosts.clone.write({"repos.toml": MANIFEST})


def sync(run_cli: RunCli, hosts: Hosts, *args: str) -> str:
    done = run_cli("remotes", "sync", *args, cwd=hosts.clone.path)
    assert (done.code, done.err) == (0, "")
    return done.out


def change(hosts: Hosts, old: str, new: str) -> None:
    hosts.clone.write({"repos.toml": hosts.manifest().replace(old, new)})


def test_what_is_missing_is_added_and_the_second_time_nothing_changes(run_cli: RunCli, hosts: Hosts) -> None:
    out = sync(run_cli, hosts)
    assert out == f"added space: {HUB}/spaces/{SPACE}\nadded small: {HUB}/lemms/small\n"
    assert hosts.clone.git("config", "--get-all", "remote.space.fetch") == "+refs/heads/main:refs/remotes/space/main"
    assert hosts.clone.git("config", "remote.space.tagOpt") == "--no-tags"
    assert hosts.clone.git("config", "remote.space.followRemoteHEAD") == "never"
    before = listing(hosts.clone.path)
    assert sync(run_cli, hosts) == "The git remotes are as the manifest says.\n"
    assert listing(hosts.clone.path) == before


def test_a_dry_run_says_it_and_changes_nothing(run_cli: RunCli, hosts: Hosts) -> None:
    before = listing(hosts.clone.path)
    assert f"would add space: {HUB}/spaces/{SPACE}\n" in sync(run_cli, hosts, "--dry-run")
    assert listing(hosts.clone.path) == before


def test_one_of_ours_follows_the_manifest_to_another_place(run_cli: RunCli, hosts: Hosts) -> None:
    sync(run_cli, hosts)
    change(hosts, SPACE, "lemms/renamed")
    out = sync(run_cli, hosts)
    assert out == f"corrected space: {HUB}/spaces/lemms/renamed (was {HUB}/spaces/{SPACE})\n"
    assert hosts.remotes()["space"] == f"{HUB}/spaces/lemms/renamed"


def test_one_of_ours_follows_the_manifest_to_another_branch(run_cli: RunCli, hosts: Hosts) -> None:
    sync(run_cli, hosts)
    change(hosts, f'space = "{SPACE}"', f'space = "{SPACE}"\nbranch = "live"')
    assert sync(run_cli, hosts).startswith("corrected space: ")
    assert hosts.clone.git("config", "--get-all", "remote.space.fetch") == "+refs/heads/live:refs/remotes/space/live"


def test_what_a_person_made_of_one_of_ours_stays(run_cli: RunCli, hosts: Hosts) -> None:
    sync(run_cli, hosts)
    hosts.clone.git("remote", "set-url", "space", f"git@hf.co:spaces/{SPACE}")
    hosts.clone.git("config", "--add", "remote.space.fetch", "+refs/pull/*:refs/remotes/space/pull/*")
    hosts.clone.git("config", "remote.small.fetch", "+refs/heads/*:refs/remotes/small/*")
    before = hosts.config()
    assert sync(run_cli, hosts) == "The git remotes are as the manifest says.\n"
    assert hosts.config() == before


def test_the_branch_is_corrected_and_the_persons_spelling_of_the_url_stays(run_cli: RunCli, hosts: Hosts) -> None:
    sync(run_cli, hosts)
    hosts.clone.git("remote", "set-url", "space", f"git@hf.co:spaces/{SPACE}")
    change(hosts, f'space = "{SPACE}"', f'space = "{SPACE}"\nbranch = "live"')
    sync(run_cli, hosts)
    assert hosts.remotes()["space"] == f"git@hf.co:spaces/{SPACE}"


def test_a_run_that_was_killed_in_between_is_completed(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.git("config", "remote.space.openllm", "true")
    assert f"corrected space: {HUB}/spaces/{SPACE}\n" in sync(run_cli, hosts).replace(" (was )", "")
    assert hosts.remotes()["space"] == f"{HUB}/spaces/{SPACE}"


def test_a_persons_own_remote_for_the_same_repository_is_as_good(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.git("remote", "add", "demo", f"git@hf.co:spaces/{SPACE}")
    before = hosts.config()
    sync(run_cli, hosts, "--dry-run")
    assert hosts.config() == before
    assert "space" not in sync(run_cli, hosts)
    assert set(hosts.remotes()) == {"origin", "demo", "small"}


def test_a_persons_remote_of_that_name_that_leads_elsewhere_is_told_and_left_alone(
    run_cli: RunCli, hosts: Hosts
) -> None:
    hosts.clone.git("remote", "add", "space", "https://gitlab.com/ada/space")
    out = sync(run_cli, hosts)
    assert "space leads to https://gitlab.com/ada/space" in out
    assert "it is yours, and stays as it is" in out
    assert f"  next: git remote set-url space {HUB}/spaces/{SPACE}\n" in out
    assert hosts.remotes()["space"] == "https://gitlab.com/ada/space"


def test_one_of_ours_that_left_the_manifest_goes_only_when_asked_to(run_cli: RunCli, hosts: Hosts) -> None:
    sync(run_cli, hosts)
    hosts.clone.git("remote", "add", "mine", "https://gitlab.com/ada/mine")
    change(hosts, "[repos.small]", "[repos.tiny]")
    out = sync(run_cli, hosts)
    assert f"added tiny: {HUB}/lemms/small\n" in out
    assert f"small ({HUB}/lemms/small) is no longer in the manifest.\n" in out
    assert "next: openllm-repos remotes sync --prune" in out
    assert "small" in hosts.remotes()
    assert f"would remove small: {HUB}/lemms/small\n" in sync(run_cli, hosts, "--prune", "--dry-run")
    assert f"removed small: {HUB}/lemms/small\n" in sync(run_cli, hosts, "--prune")
    assert set(hosts.remotes()) == {"origin", "space", "tiny", "mine"}


def test_a_mark_on_a_name_that_this_tool_never_gives_is_not_believed(run_cli: RunCli, hosts: Hosts) -> None:
    sync(run_cli, hosts)
    hosts.clone.git("config", "remote.Not A Repo.openllm", "true")
    hosts.clone.git("config", "remote.Not A Repo.url", "https://gitlab.com/a/b")
    assert sync(run_cli, hosts, "--prune") == "The git remotes are as the manifest says.\n"


def test_the_list_of_remotes(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.git("remote", "add", "space", "https://ada:pw@gitlab.com/ada/space")
    done = run_cli("remotes", cwd=hosts.clone.path)
    assert done.out.splitlines() == [
        "repo   remote  url",
        "main   origin  https://github.com/louischua/openllm",
        f"space  space   {'https://***@gitlab.com/ada/space':36}  (leads elsewhere)",
        f"small  -       {HUB + '/lemms/small':36}  (add)",
        "",
        "next: openllm-repos remotes sync",
    ]
    sync(run_cli, hosts)
    assert "next:" not in run_cli("remotes", cwd=hosts.clone.path).out


def test_the_same_as_json(run_cli: RunCli, hosts: Hosts) -> None:
    done = run_cli("remotes", "sync", "--json", cwd=hosts.clone.path)
    added = done.json()["remotes"][1]
    url = f"{HUB}/spaces/{SPACE}"
    expected = {"repo": "space", "remote": "space", "state": "add", "url": None, "wanted": url, "next": ""}
    assert added == {**expected, "changed": True}
    listed = run_cli("remotes", "--json", cwd=hosts.clone.path).json()["remotes"]
    assert [(one["remote"], one["state"]) for one in listed] == [
        ("origin", "keep"),
        ("space", "keep"),
        ("small", "keep"),
    ]


def test_json_stands_behind_the_verb(run_cli: RunCli, hosts: Hosts) -> None:
    done = run_cli("remotes", "--json", "sync", cwd=hosts.clone.path)
    assert (done.code, "remotes sync --json" in done.err) == (2, True)


def test_quiet_says_nothing(run_cli: RunCli, hosts: Hosts) -> None:
    assert run_cli("-q", "remotes", "sync", cwd=hosts.clone.path).out == ""
