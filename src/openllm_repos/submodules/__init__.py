"""Repos that the source pins as submodules: moving a pin, and keeping ``.gitmodules`` equal to the manifest.

``wanted`` finds the commit that is to be pinned, by asking remotes · ``desk`` is what index and work tree hold now, and
writes both · ``pinning`` is the command `pin`: what would change, and changing it.
"""
