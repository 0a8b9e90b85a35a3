"""The pre-receive hook of every repository here: a program of its own, started by git for each push.

It is given the folder that PyYAML is in as its only argument, what the push is about in the environment, and the refs
on standard input. It must start quickly: nothing is imported here that a push does not need.
"""

import json
import os
import sys


def main() -> int:
    """Judge the push and return the exit code; what is printed reaches the person who pushes."""
    sys.path.insert(0, __file__.rpartition("/openllm_repos/")[0])
    sys.path.append(sys.argv[1])
    from openllm_repos.sandbox.refusals import VARIABLE, Push, judge

    facts = json.loads(os.environ[VARIABLE])
    lines = judge(Push.read(facts, sys.stdin.buffer.read()))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
