"""The databases whose files opsctl runs."""
