"""Finding a frame in a topic by its name."""
