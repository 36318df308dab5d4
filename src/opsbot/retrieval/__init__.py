"""From the folder of articles to the passages that answer a question."""
