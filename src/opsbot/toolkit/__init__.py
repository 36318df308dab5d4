"""Tools: what the assistant can do, who may use it, and how a change is confirmed."""
