"""What a clean-up removes from an engine, and what it keeps."""
