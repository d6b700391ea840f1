"""`opsctl debug` and its verbs."""
