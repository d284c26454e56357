"""What a contender is told."""

import tomllib
from pathlib import Path

from benchmarks.contenders.ours import pipeline_file
from benchmarks.job import Job
from streams.pipeline_settings import load_pipelines

JOB = Job(bootstrap="localhost:1", input="in", output="out", events="ev", dead_letter="dl", group="g", width=1280)


def test_a_job_is_the_same_after_its_way_as_an_argument() -> None:
    job = Job.from_json(JOB.to_json())

    assert job == JOB
    assert Job.from_json(Job(bootstrap="b", input="i", extra=(("plan", False),)).to_json()).extra == (("plan", False),)


def test_the_pipeline_file_is_one_that_a_worker_takes(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.toml"
    path.write_text(pipeline_file(JOB))

    (pipeline,) = load_pipelines(path)

    assert (pipeline.input, pipeline.output, pipeline.group) == ("in", "out", "g")
    assert [(each.op, dict(each.parameters)) for each in pipeline.operators] == [("blur", {"kernel": 5})]
    assert tomllib.loads(path.read_text())["kafka"]["bootstrap"] == "localhost:1"
