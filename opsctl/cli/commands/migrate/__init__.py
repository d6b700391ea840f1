"""`opsctl migrate`, one file per command."""
