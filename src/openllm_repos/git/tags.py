"""Annotated tags as objects: the same words are the same bytes, on every machine and at every attempt.

No ref is written, in the clone or elsewhere; whoever pushes one names it by its id.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName

_IDENTITY = re.compile(r"(?P<name>[^<>\n]*) <(?P<mail>[^<>\n]*)> (?P<time>[0-9]+) (?P<zone>[+-][0-9]{4})")
_SIGNED = re.compile(r"^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TagObject:
    """An annotated tag.

    Attributes:
        id: of the object.
        text: its whole content, as git stores it.
    """

    id: ObjectId
    text: str


def tagger_now(repository: Repository) -> str:
    """Return who the person is and what time it is, as tags and commits have it.

    Raises:
        EnvironmentProblem: git does not know who the person is.
    """
    done = repository.git.run("var", "GIT_COMMITTER_IDENT", ok=(0, 128))
    if done.code:
        raise EnvironmentProblem(
            "git does not know who you are, and a release makes tags in your name.",
            hint='git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
        )
    return done.stdout.decode("utf-8", "replace").rstrip("\n")


def signing_wanted(repository: Repository) -> bool:
    """Whether the person's git is set to sign annotated tags."""
    asked = ("config", "--type=bool", "-z", "--get-regexp", r"^tag\.(gpgsign|forcesignannotated)$")
    said = repository.git.run(*asked, ok=(0, 1)).stdout.decode("utf-8", "replace").split("\0")
    # of a key that is set several times the last one counts
    return "true" in dict(row.split("\n", 1) for row in said if "\n" in row).values()


def is_signed(text: str) -> bool:
    """Whether the content of a tag ends in a signature, good or bad."""
    return _SIGNED.search(text) is not None


def message_of(text: str) -> str:
    """Return the message in the content of a tag, its signature included."""
    return text.partition("\n\n")[2]


def tag_text(commit: ObjectId, tag: TagName, tagger: str, message: str) -> str:
    """Return the content of an annotated tag.

    Args:
        commit: what it names.
        tag: its name.
        tagger: name, mail, time and zone, as a commit's ``committer`` line has them.
        message: ends in a line end.
    """
    return f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n{message}"


def tag_object(text: str, object_format: str) -> TagObject:
    """Return an annotated tag with the id that git gives it, without writing it anywhere.

    Args:
        text: its content.
        object_format: ``sha1`` or ``sha256``.
    """
    content = text.encode()
    return TagObject(ObjectId(hashlib.new(object_format, b"tag %d\0%b" % (len(content), content)).hexdigest()), text)


def write_tag(repository: Repository, text: str) -> TagObject:
    """Write an annotated tag as an object and return it. What it names need not be here."""
    done = repository.git.run("hash-object", "-t", "tag", "-w", "--stdin", stdin=text.encode())
    return TagObject(ObjectId(done.stdout.decode().strip()), text)


def sign_tag(scratch: Repository, commit: ObjectId, tag: TagName, tagger: str, message: str) -> TagObject:
    """Make a signed tag, with the key and the program that the person's git is set to use.

    Args:
        scratch: a scratch repository (:func:`~openllm_repos.git.scratch.open_scratch`) that has the commit: git signs
            only what it can write a ref for.
        commit: what it names.
        tag: its name.
        tagger: see :func:`tag_text`.
        message: ends in a line end.

    Raises:
        EnvironmentProblem: the person's git cannot sign.
    """
    said = _IDENTITY.fullmatch(tagger)
    assert said is not None  # git wrote it
    person = {
        "GIT_COMMITTER_NAME": said["name"],
        "GIT_COMMITTER_EMAIL": said["mail"],
        "GIT_COMMITTER_DATE": f"@{said['time']} {said['zone']}",
    }
    try:
        done = scratch.git.run(
            *("tag", "--sign", "--cleanup=verbatim", "--file=-", "--", tag, commit),
            stdin=message.encode(),
            environment=person,
        )
    except GitFailed as failed:
        raise _cannot_sign(failed.completed.said) from None
    found = ObjectId(scratch.git.text("rev-parse", "--verify", f"refs/tags/{tag}"))
    text = scratch.git.run("cat-file", "tag", found).stdout.decode("utf-8", "replace")
    scratch.git.run("update-ref", "-d", f"refs/tags/{tag}")
    if not is_signed(text):  # a git of 2023 goes on without, and says so on standard error alone
        raise _cannot_sign(done.said)
    return TagObject(found, text)


def _cannot_sign(said: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"Your git is set to sign tags (tag.gpgSign), but it cannot: {said}",
        hint="git config tag.gpgSign false  # or fix your signing key",
    )
