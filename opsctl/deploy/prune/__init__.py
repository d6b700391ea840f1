"""Removes what nothing uses from an engine, and keeps what a rollback needs."""
