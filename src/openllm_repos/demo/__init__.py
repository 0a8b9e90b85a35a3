"""A family like OpenLLM's, made in one folder: the manifest and the URLs are the real ones, the remotes are folders."""
