"""Looking at a worker as Prometheus and Kubernetes do."""

import re
import time
import urllib.error
import urllib.request
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families
from worker_support import Worker


def page(worker: Worker, path: str) -> tuple[int, str]:
    """Status and text of a page of the worker's."""
    worker.wait_for_log("metrics and probes on")
    return fetch(worker.log.read_text(), path)


def fetch(log: str, path: str) -> tuple[int, str]:
    """Status and text of a page of the process that has said in its log where its metrics are."""
    (address,) = re.findall(r"metrics and probes on (http://[^\s/]+)/metrics", log)
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_for_page(worker: Worker, path: str, status: int, *, timeout_s: float = 60) -> str:
    """Wait until a page has this status; its text."""
    give_up = time.monotonic() + timeout_s
    while True:
        found, text = page(worker, path)
        if found == status:
            return text
        assert time.monotonic() < give_up, f"{path} is still {found} after {timeout_s} s: {text}"
        time.sleep(0.1)


def counts(worker: Worker, metric: str, *labels: str) -> "Counter[tuple[str, ...]]":
    """A metric's values summed up by these labels, read with Prometheus' own parser."""
    found: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(page(worker, "/metrics")[1]):
        for sample in family.samples:
            if sample.name == metric:
                found[tuple(sample.labels[label] for label in labels)] += sample.value  # type: ignore[assignment]
    return found


def wait_for_count(worker: Worker, wanted: int, metric: str, **labels: str) -> None:
    """Wait until what a metric counts under these labels is that much."""
    give_up = time.monotonic() + 60
    while (found := counts(worker, metric, *labels)[tuple(labels.values())]) != wanted:
        assert time.monotonic() < give_up, f"{metric}{labels} is {found}, expected {wanted}"
        time.sleep(0.1)
