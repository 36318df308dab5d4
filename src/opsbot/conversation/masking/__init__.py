"""Personal data goes to no language model outside, when set: placeholders stand in for it."""
