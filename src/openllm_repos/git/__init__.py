"""git, the storage engine: the only room that starts processes.

``process`` starts git in an environment of our own · ``credentials`` hands it a token · ``repository`` opens a clone ·
``objects`` reads and ``pack`` writes objects in bulk · ``refs`` changes refs with their old values stated · ``remote``
lists, fetches and pushes · ``merge`` merges without a work tree · ``history`` answers questions about ancestry ·
``worktree`` lets a person settle a merge · ``authoring`` is what a person does in a clone, for the demo.
"""
