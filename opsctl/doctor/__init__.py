"""Checks that everything opsctl needs works: in parallel, each finding with its fix."""
