"""What the records add up to: defined measures, and the lists that staff work from."""
