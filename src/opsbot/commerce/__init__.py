"""The shop's records and their rules. Relations point one way: returns → orders → customers."""
