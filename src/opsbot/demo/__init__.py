"""The sample shop, Lumen & Loom: a year of its records, made from a seed."""
