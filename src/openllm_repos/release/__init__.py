"""One version of the whole family: checked, tagged everywhere, written down in a lock.

``planning`` says what would happen and ``checks`` what stands against it, all at once · ``prepare`` makes the lock and
the tags before anything is pushed · ``carry`` pushes them, the source's tag last, believes only the remotes, and mends
what is out · ``begun`` finds a release that was begun, here or on another machine · ``abort`` takes back what nobody
can have built on · ``verify`` holds the remotes against the locks · ``compare`` and ``notes`` say what changed.
"""
