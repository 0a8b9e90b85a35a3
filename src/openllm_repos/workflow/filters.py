"""Path patterns, branches and release tags in the words of GitHub's filters.

The two languages look alike and are not. There ``*`` is as here, ``**`` crosses folders, but ``?`` and ``+`` say how
often the character *before* them may stand, ``!`` at the start excludes, and a set in brackets holds letters and
digits only. A filter may let through too much, never too little: a workflow that starts for nothing finds all up to
date, one that does not start leaves a target behind.
"""

from __future__ import annotations

from openllm_repos.manifest.model import Manifest
from openllm_repos.names.glob import Ranges, Token
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.ref import BranchName, TagTemplate

WORKFLOW = ".github/workflows/openllm-repos.yml"
REQUIREMENTS = ".github/workflows/openllm-repos.txt"
"""What the jobs install, by hash, in pip's words."""

_ESCAPED = frozenset("\\*?+[]!")
_ALPHABETS = (("0", "9"), ("A", "Z"), ("a", "z"))
_ANY = "*"


def source_paths(manifest: Manifest, manifest_path: str) -> tuple[str, ...]:
    """Return the filters for every path of the source that has a say in a sync, each once.

    Args:
        manifest: whose maps are meant.
        manifest_path: where the manifest stands in the source.
    """
    mapped = sorted({path_filter(a_map.source) for target in manifest.targets for a_map in target.maps})
    return tuple(dict.fromkeys((literal(manifest_path), literal(WORKFLOW), literal(REQUIREMENTS), *mapped)))


def path_filter(pattern: Pattern) -> str:
    """Return the filter for the paths that a pattern stands for, or for a few more."""
    folders = [literal(name) for name in pattern.base.parts]
    said = "/".join((*folders, *("**" if part.is_globstar else _component(part.tokens) for part in pattern.rest)))
    return said.replace("${{", "${*")  # GitHub would read an expression, and none may stand there


def branch_filter(branch: BranchName) -> str:
    """Return the filter for one branch."""
    return literal(branch)


def tag_filter(template: TagTemplate) -> str:
    """Return the filter for the tags of a form: a version starts with a digit and has no ``/`` in it."""
    before, _, after = template.partition("{version}")
    return f"{literal(before)}[0-9]*{literal(after)}"


def literal(text: str) -> str:
    """Return the filter for this very text."""
    return "".join(f"\\{char}" if char in _ESCAPED else char for char in text)


def _component(tokens: tuple[Token, ...]) -> str:
    said = ""
    for token in tokens:
        word = _ANY if token is None else _one(token)
        if word != _ANY or not said.endswith(_ANY) or said.endswith(f"\\{_ANY}"):  # two in a row would cross folders
            said += word
    return said


def _one(characters: Ranges) -> str:
    """Return the filter for one character out of a set; what cannot be said becomes ``*``."""
    ((low, high), *more) = characters or ((0, 0),)
    if not more and low == high:
        return literal(chr(low)) if low else _ANY
    if all(any(a <= chr(low) <= chr(high) <= z for a, z in _ALPHABETS) for low, high in characters):
        return "[" + "".join(_range(chr(low), chr(high)) for low, high in characters) + "]"
    return _ANY


def _range(low: str, high: str) -> str:
    return low if low == high else low + high if ord(low) + 1 == ord(high) else f"{low}-{high}"
