"""The repos of a manifest as they are now, read only.

``remotes`` asks them all at once, ``source`` finds the commit to carry over, ``state`` reads what a
target's own history says of it, ``base`` finds what of it has come home, and ``relation`` holds it against the source.
"""
