"""Data that lives in Redis alone: hashes, sessions and a queue."""
