"""Is it well? Who is listening? Asked of the running stack, and never by changing it."""
