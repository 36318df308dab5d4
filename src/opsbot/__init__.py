"""A self-hosted assistant that answers customers and staff from manuals and live records."""

__version__ = "0.1.0"
