"""Locks, events and background jobs, once for event loops and once for threads."""
