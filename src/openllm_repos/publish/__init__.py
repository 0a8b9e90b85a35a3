"""Artifacts that git does not track, brought to repos on the Hub in one commit each."""
