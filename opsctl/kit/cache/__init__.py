"""A cache in two state: memory of this process, and a Redis that all share."""
