"""A fingerprint of a folder, for tests that say "nothing changed"."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def listing(folder: Path) -> dict[str, str]:
    """Return every path below `folder` (folders too) with its mode and the SHA-256 of its bytes or link target.

    Times are left out. Compare two listings where a failing test should say which file changed.
    """
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                content = os.fsencode(os.readlink(path))
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            else:
                content = b""
            found[os.path.relpath(path, folder)] = f"{status.st_mode:o} {hashlib.sha256(content).hexdigest()}"
    return dict(sorted(found.items()))


def fingerprint(folder: Path) -> str:
    """Return one SHA-256 over the names, modes and bytes of everything below `folder`; times do not count."""
    return hashlib.sha256(repr(listing(folder)).encode("utf-8", "surrogateescape")).hexdigest()
