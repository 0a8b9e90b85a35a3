"""A target taken back to an earlier state of its mapped files by one new commit, and held there."""
