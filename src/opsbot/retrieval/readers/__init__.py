"""One module per file format; each turns a file into one normalised Markdown text."""
