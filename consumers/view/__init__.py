"""The live view: a plain consumer of the topics that shows them in a browser."""
