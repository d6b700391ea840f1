"""Reads files, variables and flags into validated settings that know their origin."""
