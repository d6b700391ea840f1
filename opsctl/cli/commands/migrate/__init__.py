"""`opsctl migrate` and its verbs."""
