"""Back in time for one camera: what a topic still holds of it."""
