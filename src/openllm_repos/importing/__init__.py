"""Bringing home what a target changed: its commits, on a branch of the source.

:mod:`openllm_repos.importing.planning` says what would be done, :mod:`openllm_repos.importing.apply` does it.
"""
