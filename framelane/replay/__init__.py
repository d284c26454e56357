"""Replays: a pipeline over a stretch of the retained past, shared by processes, each frame published exactly once."""
