"""Deletes raw logs: which ones, in what order, and how that is recorded."""
