"""The shop's rules: read once from knowledge/policies/, and decided by pure functions."""

from opsbot.toolkit.policy.loading import Policies, load_policies

__all__ = ["Policies", "load_policies"]
