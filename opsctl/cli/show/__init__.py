"""Prints results: text, JSON, the formats of other programs, progress."""
