"""What Faust's own watch over its streams goes by."""

import time

from faust.types import TP

from streams.app import QuietMonitor


def test_a_stream_that_takes_events_up_does_not_look_as_if_it_stood_still() -> None:
    monitor, partition = QuietMonitor(), TP("frames.raw", 0)
    before = time.monotonic()
    monitor.on_stream_event_in(partition, 7, stream=None, event=None)
    # Without an entry, the driver calls a partition with lag idle since the start, five minutes after it.
    assert before <= monitor.stream_inbound_time[partition] <= time.monotonic()
