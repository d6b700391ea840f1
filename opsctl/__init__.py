"""One server's data stack, run from one tool."""

__version__ = "0.1.0"
