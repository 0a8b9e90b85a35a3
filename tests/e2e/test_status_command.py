"""`openllm-repos status`: how each repo stands, seen by the person who asks."""

from __future__ import annotations

import pytest

from tests.support.family import Family
from tests.support.process import Result


def status(family: Family, *args: str) -> Result:
    return family.run("status", *args, cwd=family.clone.path)


def states(family: Family, *args: str) -> dict[str, str]:
    """Return repo -> state, as the table has it."""
    table = status(family, *args).out.partition("\n\n")[0].splitlines()
    start, end = table[0].index("state"), table[0].index("release")
    return {line.split()[0]: line[start:end].strip() for line in table[1:]}


def test_x(family: Family) -> None:
    family.manifest(more=f'[repos.data]\nurl = "{family.origin.url}"\nbranch = "data"\n[repos.gone]\nurl = "file:///nowhere/x.git"')
    print(status(family).out, status(family).err)
    family.synced()
    print(status(family).out)
    print(status(family, "--json").out)
    print(family.run("diff", cwd=family.clone.path).out)
    family.edit("Their edit", {"training/model.py": "new\n"})
    print(status(family).out)
    print(family.run("diff", cwd=family.clone.path).out)
    family.clone.commit("x", {"configs/b.json": "x\n", "core/src/train.py": "x\n"})
    print(status(family).out)
    print(status(family, "--markdown").out)
    d = family.run("diff", "--patch", cwd=family.clone.path)
    print(d.out, d.err)
    d = family.run("diff", "--json", cwd=family.clone.path)
    print(d.out, d.err)
    print(status(family, "--offline").out)
    assert 0
