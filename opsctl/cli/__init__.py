"""The terminal: parse, call, show. The only home of click and rich."""
