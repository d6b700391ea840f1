"""Sockets, ports, ssh and the tailnet."""
