"""A stand-in for ssh: the "remote" command runs on this machine, over the same pipes."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

# Runs the last argument (the command that git asks ssh to run), its path taken below the root of the repositories.
# git sends: git-upload-pack '/name.git'
_SCRIPT = """\
#!/bin/sh
for last; do :; done
verb=${{last%% *}}
path=${{last#*\\'/}}
path={root}/${{path%\\'}}
case $verb in git-upload-pack|git-receive-pack) ;; *) echo "ssh: $verb is not served here" >&2; exit 1 ;; esac
{command}
"""

# A line that dies: the server's process is killed once `limit` bytes went the given way.
_CUT = """\
import os, subprocess, sys
way, limit, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
child = subprocess.Popen(command, **{"stdin" if way == "up" else "stdout": subprocess.PIPE})
source, sink = (0, child.stdin.fileno()) if way == "up" else (child.stdout.fileno(), 1)
while limit > 0 and (block := os.read(source, min(65536, limit))):
    limit -= len(block)
    os.write(sink, block)
child.kill()
sys.exit(255)
"""


class FakeSsh:
    """`ssh://git@host/name.git` lands on `<root>/name.git`; the transfer can be refused or cut.

    Args:
        script: where to write the program that git is to run in place of ssh.
        root: folder of the bare repositories.
    """

    def __init__(self, script: Path, root: Path) -> None:
        self.script = script
        self.root = root
        self.work()

    def url(self, name: str) -> str:
        """Return the ssh URL of a repository."""
        return f"ssh://git@example.org/{name}"

    def work(self) -> None:
        """Serve."""
        self._write('exec "$verb" "$path"')

    def deny(self) -> None:
        """Refuse as sshd does when it knows no key of the user."""
        self._write('echo "git@example.org: Permission denied (publickey)." >&2; exit 255')

    def cut(self, way: Literal["up", "down"], after: int) -> None:
        """Let only so many bytes through to the server ("up") or from it ("down"); then the line is dead."""
        cutter = shlex.join([sys.executable, "-c", _CUT, way, str(after)])
        self._write(f'exec {cutter} "$verb" "$path"')

    def _write(self, command: str) -> None:
        text = _SCRIPT.format(root=shlex.quote(str(self.root)), command=command)
        self.script.write_text(text, encoding="utf-8")
        self.script.chmod(0o755)
