"""Ours: `framelane produce` as anyone starts it, for the camera whose address is the job's input.

extra: ("decoder", "opencv") has it decode what it would pass on byte for byte.
"""

import os
import sys

from benchmarks.job import Job

if __name__ == "__main__":
    job = Job.from_json(sys.argv[1])
    options = {"--topic": job.output, "--bootstrap": job.bootstrap, "--quality": str(job.quality)}
    options |= {f"--{name}": str(value) for name, value in job.extra}
    arguments = [word for option in options.items() for word in option]
    command = [sys.executable, "-m", "framelane", "produce", job.input, "--camera", "bench", *arguments]
    os.execv(sys.executable, [*command, "--no-status", "--log-level", "warning"])
