"""Arithmetic of planning and of scores: pure functions that know no records and no clock."""
