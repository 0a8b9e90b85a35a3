"""What looks like a secret: one table of token forms for the search before a publish and for redaction."""
