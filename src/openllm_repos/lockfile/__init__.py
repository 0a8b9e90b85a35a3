"""The lock: one file a release that says which commit of every repo belongs to it. Nothing here touches git."""
