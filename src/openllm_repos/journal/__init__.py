"""What an operation set out to do, on disk before it starts: one at a time (``lock``), written down (``records``)."""
