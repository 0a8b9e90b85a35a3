"""A family like OpenLLM's, made in one folder: manifest and URLs are the real ones, the hosts are the sandbox."""
