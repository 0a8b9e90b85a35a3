"""Getting a family going and keeping a machine fit for it.

``places`` reads what people type for a repo · ``propose`` guesses maps, `never` and `owned` from file names · ``draft``
is the manifest as text · ``survey`` looks at clone and targets · ``begin`` is all of that for `init` · ``remotes``
keeps the clone's git remotes equal to the manifest · ``doctor`` and the checks beside it say what is missing.
"""
