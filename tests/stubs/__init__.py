"""Servers that stand in for those of others, over real HTTP on loopback."""
