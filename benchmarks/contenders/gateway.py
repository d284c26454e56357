"""Ours: `framelane gateway` with its worker, as one command."""

import os
import sys
from pathlib import Path

from benchmarks.contenders.ours import pipeline_file
from benchmarks.job import Job

if __name__ == "__main__":
    job = Job.from_json(sys.argv[1])
    path = Path(job.folder, "pipeline.toml")
    path.write_text(pipeline_file(job), encoding="utf-8")
    arguments = ["gateway", "--pipelines", str(path), "--with-worker", "--port", "-1", "--http-port", "0"]
    os.execv(sys.executable, [sys.executable, "-m", "framelane", *arguments, "--max-reply", "0"])
