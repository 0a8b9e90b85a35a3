"""What an operation set out to do, on disk before it starts: one at a time (``lock``), and written down (``records``)."""
