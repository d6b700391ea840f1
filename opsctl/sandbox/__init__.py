"""Runs tests in containers that can never use more than their caps."""
