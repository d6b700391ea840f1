"""SQL as text: its statements, the locks they take, what needs its own transaction."""
