"""Ours: `subscribe()` in a group, each frame once."""

import sys

from benchmarks.contenders.timed_reading import time_reading
from benchmarks.job import Job
from consumers import subscribe
from framelane.parent import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    job = Job.from_json(sys.argv[1])
    with subscribe(job.input, bootstrap=job.bootstrap, group=job.group) as frames:
        time_reading((frame.data for frame in frames), job.frames)
