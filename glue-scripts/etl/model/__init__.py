"""Tables become tables."""
