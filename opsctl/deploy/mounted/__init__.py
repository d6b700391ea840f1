"""The files that services mount from the project: their digests, and copies for a rollback."""
