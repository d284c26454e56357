"""What became of the frames of a camera, in words."""

import sys

from streams.contract.status import CameraSums


def print_sums(camera_id: str, sums: CameraSums, *, took_s: float) -> None:
    """One line on stderr; captured = produced + dropped."""
    dropped = by_reason(sums.dropped) if sums.dropped else "0"
    more = [f", source opened again {sums.reconnects} times"] if sums.reconnects else []
    more += [f", {sums.fitted} made smaller to fit the topic"] if sums.fitted else []
    print(
        f"{camera_id}: captured {sums.captured}, produced {sums.produced}, dropped {dropped}"
        f" in {took_s:.1f} s{''.join(more)}",
        file=sys.stderr,
    )


def by_reason(counts: dict[str, int]) -> str:
    """Counts by reason, and their sum."""
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{sum(counts.values())} ({listed})"
