"""The project's rules as checks: files are read, never run, and compose files as rendered."""
