"""The repository, read by the git program or from its own files."""
