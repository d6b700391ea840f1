"""Deploys one compose project to one engine: plan, run, verify, and restore on failure."""
