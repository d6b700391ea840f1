"""Parses migration files: directives, variables, excerpts for errors."""
