"""One operation at a time (``lock``); what each is about to do, and what came of it (``log``)."""
