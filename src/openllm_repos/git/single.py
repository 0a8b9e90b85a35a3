"""One file added to, or taken from, a commit: the child commit, made in the object store. No ref and no file moves."""

from __future__ import annotations

from dataclasses import replace

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import tagger_now
from openllm_repos.names.objectid import ObjectId
from openllm_repos.temporary import temporary_folder


def add_file(
    repository: Repository, parent: ObjectId, path: str, content: bytes | None, message: str
) -> tuple[ObjectId, str]:
    """Write a commit that adds one file to its only parent, or with no `content` takes it away.

    It is by the person at this machine, dated now, and signed if their git signs commits.

    Returns:
        The commit, and its committer line: name, mail, time and zone.

    Raises:
        EnvironmentProblem: git does not know who the person is, or cannot sign.
    """
    tagger_now(repository)
    with temporary_folder() as place:
        extra = {**repository.git.extra, "GIT_INDEX_FILE": str(place / "index")}
        git = replace(repository.git, extra=extra)
        git.run("read-tree", parent)
        if content is None:
            git.run("update-index", "-z", "--index-info", stdin=b"0 %b\t%b\0" % (b"0" * len(parent), path.encode()))
        else:
            blob = git.run("hash-object", "-w", "--stdin", stdin=content).stdout.strip()
            git.run("update-index", "-z", "--index-info", stdin=b"100644 %b\t%b\0" % (blob, path.encode()))
        tree = git.text("write-tree")
    signs = repository.git.run("config", "--type=bool", "--get", "commit.gpgSign", ok=(0, 1)).stdout.strip() == b"true"
    try:
        signed = ("-S",) if signs else ()
        done = repository.git.run("commit-tree", *signed, "-p", parent, "-F", "-", tree, stdin=message.encode())
    except GitFailed as failed:
        raise EnvironmentProblem(
            f"The commit for {path} cannot be made: {failed.completed.said}",
            hint="git config commit.gpgSign false  # if git cannot sign here",
        ) from None
    made = ObjectId(done.stdout.decode().strip())
    rows = repository.git.run("cat-file", "commit", made).stdout.decode("utf-8", "replace").split("\n")
    return made, next(row.removeprefix("committer ") for row in rows if row.startswith("committer "))
