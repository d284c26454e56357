"""Whether a worker is ready for its work."""

from streams.progress import Progress


def ready(progress: Progress) -> str:
    """Why a worker is not ready, "" when it is: it has partitions, or is idle by design, as others have them all."""
    frames = progress.frames
    if not progress.joined:
        return f"it has no place in the group {frames.pipeline.settings.group} yet, or the group is rebalancing"
    if not progress.partitions and not progress.input_partitions:
        return f"the input topic {frames.pipeline.settings.input} is away"
    return ""
