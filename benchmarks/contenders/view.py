"""Ours: the server of the live view, as `framelane view` runs it, on topics of its own."""

import sys

from benchmarks.job import Job
from consumers.view.settings import ViewSettings
from framelane.parent import end_with_parent
from framelane.view.run import ServeSettings, run_view
from streams.contract.kafka_settings import KafkaSettings


def _tell(address: str) -> None:
    print(f"address {address}", flush=True)  # noqa: T201


if __name__ == "__main__":
    end_with_parent()
    job = Job.from_json(sys.argv[1])
    settings = ViewSettings(
        kafka=KafkaSettings(bootstrap=job.bootstrap),
        raw=job.input,
        processed=job.output,
        events=job.events,
        dead_letter=job.dead_letter,
        status=str(dict(job.extra)["status"]),
    )
    run_view(settings, ServeSettings(port=-1), listening=_tell)
