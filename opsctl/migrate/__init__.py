"""Migrations: SQL files read, planned and applied, each in one transaction with its row."""
