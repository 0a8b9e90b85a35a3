"""GitHub, for what git cannot say: pull requests."""
