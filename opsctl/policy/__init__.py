"""The rules of the house as checks: files are read and never run, compose as it is rendered."""
