"""The pre-push gate: put into a clone (``install``), looked after (``standing``), and what it decides (``gate``)."""
