"""A cache in two layers: memory of this process, and a Redis that all share."""
