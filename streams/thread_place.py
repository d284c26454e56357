"""Where a thread is, for whoever has to tell of one that hangs."""

import sys
import traceback


def thread_place(thread_id: int) -> str:
    """Where a thread is at this moment, as "file:line in function"; "unknown" when it has ended."""
    stack = sys._current_frames().get(thread_id)
    if stack is None:
        return "unknown"
    at = traceback.extract_stack(stack)[-1]
    return f"{at.filename.rpartition('/')[2]}:{at.lineno} in {at.name}"
