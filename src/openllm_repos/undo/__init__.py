"""Operations taken back: what can be (``ways``), what it comes to (``planning``, ``target``), doing it (``run``)."""
