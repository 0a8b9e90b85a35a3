"""Versions: where they stand, what they say, how they are ordered and raised, and writing them.

``found`` finds a version in the text of one file · ``stated`` follows the places of a manifest and says whether they
agree · ``written`` changes them and nothing else · ``order`` compares versions and names the next one · ``commit`` and
``folder`` are a commit's tree and a work tree as such files.
"""
