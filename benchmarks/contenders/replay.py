"""Ours: `framelane replay` over the whole topic, as anyone starts it."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders.ours import pipeline_file
from benchmarks.job import Job

if __name__ == "__main__":
    job = Job.from_json(sys.argv[1])
    path = Path(job.folder, "pipeline.toml")
    # A replay does not write to what is live.
    live = replace(job, output="live", events="live.events", dead_letter="live.dead-letter")
    path.write_text(pipeline_file(live), encoding="utf-8")
    arguments = ["replay", "--pipelines", str(path), "--threads", str(job.threads), "--processes", str(job.processes)]
    arguments += ["--output", job.output, "--events", job.events, "--dead-letter", job.dead_letter]
    os.execv(sys.executable, [sys.executable, "-m", "framelane", *arguments, "--log-level", "warning"])
