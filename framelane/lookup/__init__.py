"""Frames looked up where they lie: one by its name, and the latest of each camera."""
