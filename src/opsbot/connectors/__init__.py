"""Foreign data in, in our words: files, webhooks, and the nightly comparison."""
