"""One file per outside thing: a Protocol in our words, the real class, a table of its errors."""
