"""What differs between two topics of frames: which frames, which pictures, which events."""
