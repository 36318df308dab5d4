"""The core: a message comes in, a turn is run, a reply goes out, for every channel."""
