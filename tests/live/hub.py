"""One sync and one tag on the real Hub, with a throw-away Space that is deleted again. Run by a person: `make live`.

It needs `OPENLLM_LIVE_NAMESPACE`, a user or organisation in which the Space is made, and a token that may write there
(`HF_TOKEN`, or that of `hf auth login`). Nothing else of the namespace is touched. The source stays on this machine.

Every line that it prints was just seen to be true on the Hub; the exit code is 1 where something was not.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import HfApi, get_token

from openllm_repos.hub.client import HubClient
from openllm_repos.hub.endpoint import hub_endpoint
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.names.url import RepoId

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = """\
schema = 1

[project]
name = "live test"

[repos.main]
url = "{source}"
role = "source"

[repos.space]
space = "{space}"
owned = ["index.html", "README.md"]

[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
"""
TAG = TagName("v0.0.1")


class Untrue(Exception):
    """Something was not as it should be; the text says what."""


def main() -> int:
    """Run the test and return the exit code: 0 all true, 1 something was not, 2 the variables are missing."""
    namespace, token = os.environ.get("OPENLLM_LIVE_NAMESPACE", ""), get_token()
    if not namespace or not token:
        print(
            "error: This test writes to the real Hub, so it needs to be told where.\n"
            "next: OPENLLM_LIVE_NAMESPACE=your-name HF_TOKEN=hf_... make live   (the token must be able to write)",
            file=sys.stderr,
        )
        return 2
    space = RepoId(f"{namespace}/openllm-repos-live-{secrets.token_hex(4)}")
    try:
        with _space(HfApi(endpoint=hub_endpoint(), token=token), space) as api, tempfile.TemporaryDirectory() as folder:
            _story(api, space, HubClient(hub_endpoint(), token), Path(folder))
    except Untrue as why:
        print(f"NOT TRUE: {why}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _space(api: HfApi, space: RepoId) -> Iterator[HfApi]:
    """Make a private static Space (those cost nothing), and delete it whatever happens."""
    api.create_repo(space, repo_type="space", space_sdk="static", private=True)
    print(f"made     the private Space {space}")
    try:
        yield api
    finally:
        api.delete_repo(space, repo_type="space")
        print(f"deleted  the Space {space}")


def _story(api: HfApi, space: RepoId, hub: HubClient, folder: Path) -> None:
    before = set(api.list_repo_files(space, repo_type="space"))
    clone = _source(folder, space)
    _say(_tool(clone, "sync", "--yes").returncode == 0, "synced   the first time")
    files = set(api.list_repo_files(space, repo_type="space"))
    _say(files == before | {"training/model.py"}, f"holds    training/model.py beside its own {len(before)} files")
    titles = [commit.title for commit in api.list_repo_commits(space, repo_type="space")]
    _say({"The model", "A better model"} <= set(titles), "has      both commits of the source in its history")
    again = _tool(clone, "sync", "--yes")
    _say("up to date" in again.stdout, "is       up to date at the second sync")
    _say(api.repo_info(space, repo_type="space").sha == _tip(api, space), "agrees   with git about its tip")
    repo = HubRepo(HubType.SPACE, space)
    hub.create_tag(repo, TAG, _tip(api, space), message="Live test")
    tags = {tag.name: tag.target_commit for tag in api.list_repo_refs(space, repo_type="space").tags}
    _say(tags == {TAG: _tip(api, space)}, f"tagged   {TAG} at its tip")


def _source(folder: Path, space: RepoId) -> Path:
    """Make a source with two commits, and its remote, on this machine."""
    remote, clone = folder / "source.git", folder / "source"
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    _git(folder, "init", "--quiet", "--initial-branch=main", str(clone))
    (clone / "repos.toml").write_text(MANIFEST.format(source=remote.as_uri(), space=space))
    (clone / "core/src").mkdir(parents=True)
    for number, subject in enumerate(("The model", "A better model")):
        (clone / "core/src/model.py").write_text(f"version = {number}\n")
        _git(clone, "add", "--all")
        _git(clone, "commit", "--quiet", f"--message={subject}")
    _git(clone, "push", "--quiet", str(remote), "main")
    return clone


def _git(folder: Path, *args: str) -> None:
    someone = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    subprocess.run(["git", *args], cwd=folder, env={**os.environ, **someone}, check=True)


_PERSON = {"NAME": "Live Test", "EMAIL": "live@example.org"}


def _tool(clone: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openllm_repos", "-C", str(clone), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr if done.returncode else "")
    return done


def _tip(api: HfApi, space: RepoId) -> ObjectId:
    (main,) = [ref for ref in api.list_repo_refs(space, repo_type="space").branches if ref.name == "main"]
    return ObjectId(main.target_commit)


def _say(true: bool, what: str) -> None:
    if not true:
        raise Untrue(what)
    print(what)


if __name__ == "__main__":
    sys.exit(main())
