"""A program in front of git that counts the calls and hurts one of them."""

from __future__ import annotations

import shlex
from enum import Enum
from typing import TYPE_CHECKING

from tests.support.process import REAL_GIT

if TYPE_CHECKING:
    from pathlib import Path

# Each call appends its process id (a write that size is atomic) and finds its number as its line's: calls in parallel
# never share a number. No other process is started: tests make thousands of calls. The files stand beside the script,
# since the tool hands git an environment of its own making.
_SCRIPT = """\
#!/bin/sh
here={here}
printf '%s\\n' "$*" >> "$here/calls"
echo $$ >> "$here/order"
n=0 mine=0
while read -r pid; do
  n=$((n + 1))
  if [ "$pid" = $$ ]; then mine=$n; fi
done < "$here/order"
read -r call fault words < "$here/fault"
case " $* " in *" $words "*) meant=words ;; *) meant="" ;; esac
if [ $mine = "$call" ] || [ "$call" = "$meant" ]; then
  case $fault in
    fail) echo "fatal: injected" >&2; exit 128 ;;
    kill-before) kill -9 $PPID; exit 137 ;;
    kill-after) {git} "$@"; kill -9 $PPID; exit 137 ;;
    truncate) {git} "$@" | head -c 7; exit 0 ;;
    hang) exec sleep 600 ;;
  esac
fi
exec {git} "$@"
"""


class Fault(Enum):
    """What happens to the chosen call."""

    FAIL = "fail"  # git is not run; the call fails as git does
    KILL_BEFORE = "kill-before"  # the caller is killed (SIGKILL), git is not run
    KILL_AFTER = "kill-after"  # git does its work, then the caller is killed
    TRUNCATE = "truncate"  # only the first seven bytes of git's answer arrive
    HANG = "hang"  # git never answers


class GitShim:
    """Stands before git in `folder`, which a test puts first on the PATH of the tool (see `path`).

    Calls of the tool are counted from 1. Tests' own git calls do not pass here. Use it with the tool in a process of
    its own: a killed caller must not be the test.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        script = folder / "git"
        text = _SCRIPT.format(here=shlex.quote(str(folder)), git=shlex.quote(REAL_GIT))
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)
        self.disarm()

    def path(self, old: str) -> str:
        """Return the PATH that finds the shim first."""
        return f"{self.folder}:{old}"

    def arm(self, call: int, fault: Fault) -> None:
        """Hurt the `call`-th call from now; counting starts again at 1."""
        self.disarm()
        (self.folder / "fault").write_text(f"{call} {fault.value}\n", encoding="utf-8")

    def arm_when(self, words: str, fault: Fault) -> None:
        """Hurt every call from now that has these words among its arguments; counting starts again at 1."""
        self.disarm()
        (self.folder / "fault").write_text(f"words {fault.value} {words}\n", encoding="utf-8")

    def disarm(self) -> None:
        """Let every call through; counting starts again at 1."""
        (self.folder / "fault").write_text("none\n", encoding="utf-8")
        (self.folder / "calls").write_text("", encoding="utf-8")
        (self.folder / "order").write_text("", encoding="utf-8")

    def calls(self) -> list[str]:
        """Return the arguments of each call since counting started, one line per call."""
        # an argument may have a carriage return in it
        return (self.folder / "calls").read_bytes().decode(errors="replace").split("\n")[:-1]
