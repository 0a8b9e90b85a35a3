"""The repos of a manifest as they are now, read only.

``remotes`` asks them all at once, ``source`` finds the commit to carry over, ``last_sync`` reads what earlier syncs
wrote into a target, and ``relation`` holds a target against the source.
"""
