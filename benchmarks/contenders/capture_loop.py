"""The loop by hand from a camera into Kafka: cv2.VideoCapture, cv2.imencode, confluent-kafka; it decodes all it reads.

OpenCV's own threads are off; those of FFmpeg's decoder are as OpenCV sets them.
"""

import sys

import cv2
from confluent_kafka import Producer

from benchmarks.job import Job
from framelane.parent import end_with_parent


def run(job: Job) -> None:
    """Publish pictures until the process is ended, or the camera hangs up."""
    capture = cv2.VideoCapture(job.input, cv2.CAP_FFMPEG)
    own = {"enable.idempotence": True, "linger.ms": job.linger_ms, "message.max.bytes": 100_000_000}
    producer = Producer({"bootstrap.servers": job.bootstrap, **own})
    while True:
        read, image = capture.read()
        if not read:
            sys.exit("the camera gives nothing more")
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, job.quality])
        assert done
        producer.produce(job.output, data.tobytes(), "bench")
        producer.poll(0)


if __name__ == "__main__":
    end_with_parent()
    cv2.setNumThreads(1)
    run(Job.from_json(sys.argv[1]))
