"""Deletes files safely while others may change the same folders."""
