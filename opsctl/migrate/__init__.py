"""Migrations: reads, plans and applies SQL files, each in one transaction with its row."""
