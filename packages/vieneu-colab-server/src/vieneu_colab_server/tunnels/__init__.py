"""Tunnels from the internet to a port of this machine."""
