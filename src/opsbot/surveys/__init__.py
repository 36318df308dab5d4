"""Surveys: what is asked, whom, when, and what becomes of the answers."""
