"""Mapped folders carried to the targets.

``planning`` says what would happen, ``checks`` refuses what must not, ``apply`` does it, ``resolve`` lets a person
settle a conflict, ``message`` is what a sync's commit says.
"""
