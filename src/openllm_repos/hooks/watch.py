"""The file beside the installed hook: what its few lines of sh look for, so that Python need not start.

One line a fact. sh matches URLs and refs against patterns of its own language; where it cannot be exact they match too
much rather than too little, and the gate decides. A hooks folder may serve several clones, each with a section here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from openllm_repos.hooks.destination import Addresses
from openllm_repos.manifest.model import Kind, Manifest, Repo
from openllm_repos.names.ref import TagTemplate

_HEAD = "# Written by 'openllm-repos hooks install' for the pre-push beside it: what that looks for in a push.\n"
_DIGIT = "[0123456789]"  # a range would follow the locale
_VERSION = "{version}"


@dataclass(frozen=True, slots=True)
class Watch:
    """What stands in the file.

    Attributes:
        python: the interpreter that judges.
        version: the openllm-repos that wrote it.
        made_folder: whether the hooks folder itself was made by the installation.
        sections: for each clone its lines; the clone that the folder belongs to is called ``.``
    """

    python: str
    version: str
    made_folder: bool = False
    sections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self) -> str:
        """Return the content of the file."""
        lines = [f"python {self.python}", f"version {self.version}"]
        lines += ["made folder"] if self.made_folder else []
        for clone, facts in self.sections.items():
            lines += [f"clone {clone}", *facts]
        return _HEAD + "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Watch:
        """Read the content of the file; lines of a later form are kept with their clone, and otherwise ignored."""
        head: dict[str, str] = {}
        sections: dict[str, tuple[str, ...]] = {}
        clone: str | None = None
        for line in text.splitlines():
            key, _, value = line.partition(" ")
            if key == "clone":
                clone = value
                sections[clone] = ()
            elif clone is not None:
                sections[clone] = (*sections[clone], line)
            else:
                head.setdefault(key, value)
        return cls(head.get("python", ""), head.get("version", ""), "made" in head, sections)


def release_forms(manifest: Manifest) -> tuple[TagTemplate, ...]:
    """Return the forms of tags that are releases of some repo of the family."""
    return tuple(dict.fromkeys(manifest.tag_form(repo) for repo in manifest.released))


def facts_of(manifest: Manifest, addresses: Addresses) -> tuple[str, ...]:
    """Return the lines that the hook of a clone needs."""
    source = manifest.source
    facts = [f"tag {_tag_pattern(form)}" for form in release_forms(manifest)]
    facts.append(f"branch {source.branch.ref}")
    facts += [f"source {pattern}" for url in addresses.spellings(source.url) for pattern in _exact(source, url)]
    for target in manifest.targets:
        facts += [f"target {_loose(target, url)}" for url in addresses.spellings(target.url)]
        facts += [f"target {_literal(name)}" for name in addresses.names_of(target) if " " not in name]
        facts += [f"mapped :(top,glob){a_map.source.canonical}" for a_map in target.maps]
    return tuple(dict.fromkeys(facts))


def _tag_pattern(form: TagTemplate) -> str:
    before, _, after = form.partition(_VERSION)
    return f"{_literal(before)}{_DIGIT}*{_literal(after)}"


def _loose(repo: Repo, url: str) -> str:
    """A pattern for a target: its path at any host, since an alias of ssh may stand for the host."""
    path = _path(url)
    return f"*{_literal(path)}" if path.startswith("/") else f"*[:/]{_blind(repo, path)}"


def _exact(repo: Repo, url: str) -> Iterator[str]:
    """Patterns for the source: its path at its host."""
    path = _path(url)
    if path.startswith("/"):
        yield f"{_literal(path)}"
        yield f"file://{_literal(path)}"
        return
    host = _literal(url.partition("://")[2].partition("/")[0].rpartition("@")[2])
    for start in ("", "*[/@.]"):
        yield f"{start}{host}[:/]{_blind(repo, path)}"
        yield f"{start}{host}:{_DIGIT}*/{_blind(repo, path)}"


def _path(url: str) -> str:
    """The path of a URL, as the hook cuts it; that of a file with the ``/`` at its start."""
    scheme, colon, rest = url.partition("://")
    place = rest if colon else url
    if scheme == "file" or not colon:
        return os.path.realpath("/" + place.strip("/")).removesuffix(".git").rstrip("/")
    return place.partition("/")[2].strip("/").removesuffix(".git").rstrip("/")


def _blind(repo: Repo, path: str) -> str:
    """A path as a pattern; GitHub does not tell upper from lower case."""
    if repo.kind is not Kind.GITHUB and "github.com" not in repo.url:
        return _literal(path)
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else _literal(char) for char in path)


def _literal(text: str) -> str:
    return re.sub(r"([\[*?\\])", r"[\1]", text)
