"""A subscriber as users write them: notes each frame in a file, one line a frame, and goes on until it is ended.

python subscriber_program.py BOOTSTRAP TOPIC GROUP FILE SECONDS_PER_FRAME [OPTION=VALUE...]
"""

import sys
import time

from consumers import subscribe
from streams.contract.kafka_settings import KafkaSettings


def main(bootstrap: str, topic: str, group: str, file: str, pause_s: str, *more: str) -> None:
    """Note `camera sequence redelivered partition` of each frame."""
    kafka = KafkaSettings(bootstrap=bootstrap, librdkafka=dict(each.split("=", 1) for each in more))
    with open(file, "a", buffering=1) as notes, subscribe(topic, kafka=kafka, group=group) as frames:  # noqa: PTH123
        for frame in frames:
            notes.write(f"{frame.camera_id} {frame.sequence} {int(frame.redelivered)} {frame.place.split('/')[1]}\n")
            time.sleep(float(pause_s))


if __name__ == "__main__":
    main(*sys.argv[1:])
