"""How every repo of the manifest stands now, read only: ``family`` finds out, ``problems`` says what to do about it."""
