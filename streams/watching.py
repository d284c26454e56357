"""What watches a worker: its watchdog, and the port on which others look."""

import threading
from contextlib import ExitStack

from prometheus_client import CollectorRegistry

from streams.accounts import Accounts
from streams.contract.kafka_settings import KafkaSettings
from streams.evidence import Evidence
from streams.health import ready
from streams.metrics import WorkerMetrics
from streams.pages import Pages, serve_pages
from streams.progress import Progress
from streams.settings import WatchSettings
from streams.shadow_metrics import ShadowMetrics
from streams.shadow_pipeline import ShadowPipeline
from streams.watchdog import Watchdog


def start_watching(
    progress: Progress,
    kafka: KafkaSettings,
    settings: WatchSettings,
    *,
    accounts: Accounts,
    registry: CollectorRegistry,
    until: ExitStack,
) -> Watchdog:
    """Watch a worker, from its event loop, and show what is seen, until the stack is closed: after the loop.

    Raises SettingError when nobody can listen on the host.
    """
    ended = threading.Event()
    pipeline = progress.frames.pipeline
    watchdog = Watchdog(progress, Evidence(kafka, pipeline.settings.group), settings, ended=ended)
    if settings.port:
        registry.register(
            ShadowMetrics(pipeline, progress, accounts)
            if isinstance(pipeline, ShadowPipeline)
            else WorkerMetrics(progress, accounts, cameras=settings.cameras)
        )
        probes = {"/healthz": lambda: watchdog.trouble, "/readyz": lambda: ready(progress)}
        server = serve_pages(Pages(registry=registry, probes=probes), host=settings.host, port=settings.port)
        until.callback(server.server_close)
        until.callback(server.shutdown)
    until.callback(ended.set)
    watchdog.start()
    return watchdog
