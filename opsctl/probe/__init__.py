"""Measures the running stack, without changing it: its health and its subscribers."""
