"""The page of the pipelines: what runs, and the try-out."""
