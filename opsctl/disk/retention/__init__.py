"""Raw logs: which may be deleted, in what order, and how that is recorded."""
