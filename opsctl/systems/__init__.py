"""One folder or file per outside thing: a Protocol, the real class, a table of its errors."""
