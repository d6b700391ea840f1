"""What a deploy would change, and why: compose's own dry run, and our reading of it."""
