"""Reads, plans and applies SQL files: each with its row in one transaction."""
