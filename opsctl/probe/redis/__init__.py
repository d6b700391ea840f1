"""Measures one Redis and judges the figures."""
