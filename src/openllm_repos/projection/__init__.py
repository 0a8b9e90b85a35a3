"""What the maps of a target make of the source: of a tree a tree, of a commit a commit, of a history a history.

``trees`` places folders and files · ``rewrite`` copies a commit as ``git subtree split`` does · ``graph`` decides which
commits survive · ``subprojects`` whose commits come along as they are · ``cache`` remembers them on disk · ``run`` does
the work where it does not · ``project`` is all of it, from a commit to a commit.
"""
