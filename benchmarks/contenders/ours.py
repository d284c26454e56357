"""Ours: `framelane work` as anyone starts it, with a file that holds the pipeline."""

import json
import os
import sys
from pathlib import Path

from benchmarks.job import Job


def pipeline_file(job: Job) -> str:
    """The TOML of the job's pipeline and of the client's settings."""
    operators = {
        "blur": '{ op = "blur", kernel = 5 }',
        "half": f'{{ op = "resize", width = {job.width // 2} }}',
        "motion": '{ op = "motion" }',
        "heavy": '{ op = "blur", kind = "median", kernel = 31 }',
    }
    keys: dict[str, str | int | bool] = {
        "name": "bench",
        "group": job.group,
        "input": job.input,
        "output": job.output,
        "events": job.events,
        "dead_letter": job.dead_letter,
        "quality": job.quality,
        **dict(job.extra),
    }
    # JSON's texts, numbers and booleans are TOML's, too.
    lines = ["[[pipeline]]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items() if key != "operators")]
    lines.append(f"operators = [{keys.get('operators') or operators[job.work]}]")
    lines += ["[kafka]", f"bootstrap = {json.dumps(job.bootstrap)}", "[kafka.librdkafka]"]
    lines.append(f'"max.partition.fetch.bytes" = {job.fetch_bytes}')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    job = Job.from_json(sys.argv[1])
    path = Path(job.folder, "pipeline.toml")
    path.write_text(pipeline_file(job), encoding="utf-8")
    arguments = ["work", "--pipelines", str(path), "--threads", str(job.threads), "--no-status"]
    os.execv(sys.executable, [sys.executable, "-m", "framelane", *arguments, "--log-level", "warning"])
