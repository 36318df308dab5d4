"""A shop's own conversations, held against a copy of its records before something changes."""
