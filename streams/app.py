"""The Faust application of one pipeline: its settings, its agent, and what is built around them."""

import asyncio
import logging
import os
import time
from typing import Any

import faust
from aiokafka.record.default_records import DefaultRecordBatch
from faust.auth import OAuthCredentials

from streams.accounts import Accounts
from streams.agents import FrameAgent
from streams.batches import record_of
from streams.consumer import FrameTransport
from streams.contract.errors import FramelaneError, SettingError
from streams.contract.kafka_settings import FaustBroker, KafkaSettings
from streams.contract.topics import MIB
from streams.history import HistoryReader
from streams.mailbox import Mailbox
from streams.pipeline import Pipeline
from streams.pool import ThreadPool
from streams.publisher import Publisher
from streams.settings import WorkerSettings
from streams.tokens import ClientCredentials
from streams.traces import open_tracing
from streams.unreadable import UNREADABLE, WHY

# The agent's name is fixed: Faust derives names of its own from it, and moving a file must move no data.
AGENT_NAME = "frames"


class QuietMonitor(faust.Monitor):  # type: ignore[misc]
    """Faust's monitor without what it counts of each event: nobody asks for that, the worker counts its frames."""

    def on_message_in(self, tp: Any, offset: int, message: Any) -> None:
        """A message arrives."""

    def on_stream_event_in(self, tp: Any, offset: int, stream: Any, event: Any) -> None:
        """A stream takes an event up; without the time of it Faust takes the stream for one that stands still."""
        self.stream_inbound_time[tp] = time.monotonic()

    def on_stream_event_out(self, tp: Any, offset: int, stream: Any, event: Any, state: Any = None) -> None:
        """A stream is done with an event."""


class FrameApp(faust.App):  # type: ignore[misc]
    """A Faust app that serves one pipeline."""

    # Otherwise Faust's own lines would come under our name, and at our level.
    logger = logging.getLogger("faust.framelane.app")
    frames: FrameAgent
    pool: ThreadPool
    drain_s: float
    crash_task: "asyncio.Future[None] | None" = None

    def _new_transport(self) -> FrameTransport:
        return FrameTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing is stored on disk, and the file system may be read-only."""


def build_app(pipeline: Pipeline, kafka: KafkaSettings, settings: WorkerSettings, accounts: Accounts) -> FrameApp:
    """Build the app of a pipeline; to be called on the running event loop that will serve it."""
    _check_extension()
    app = FrameApp(pipeline.settings.group, monitor=QuietMonitor(), **_faust_settings(kafka.for_faust(), settings))

    def end(error: Exception) -> None:
        # Every frame in flight may report the same.
        if not app.crashed:
            app.crash_task = asyncio.ensure_future(app.crash(error))

    mailbox = Mailbox(asyncio.get_running_loop(), on_error=end)
    app.drain_s = settings.drain_s
    app.pool = ThreadPool(settings.threads)
    app.frames = FrameAgent(pipeline, settings, accounts=accounts, mailbox=mailbox, pool=app.pool)
    app.frames.outbox.publisher = Publisher(kafka, mailbox, on_room=app.frames.room, on_fatal=end)
    app.frames.outbox.tracing = open_tracing(
        os.environ, group=pipeline.settings.group, input_topic=pipeline.settings.input
    )
    app.frames.turns.warmup.history = HistoryReader(kafka, group=pipeline.settings.group)
    topic = app.topic(
        pipeline.settings.input, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    @app.agent(topic, name=AGENT_NAME)  # type: ignore[untyped-decorator]
    async def frames(stream: Any) -> None:
        # It yields nothing: an agent that yields would answer to a topic of the sender's choosing (Faust-Ag-ReplyTo).
        async for event in stream.noack().events():
            batch = event.message
            app.consumer.ack(batch)
            if batch.generation_id != app.consumer_generation_id:
                continue
            try:
                for read in batch.records:
                    why = WHY if read.headers is UNREADABLE else ""
                    app.frames.take(record_of(read), generation=batch.generation_id, unreadable=why)
            except Exception as error:  # noqa: BLE001 - Faust would go on with the next frames, past this one
                app.frames.kill_all(for_good=True)
                end(error)

    return app


def _faust_settings(broker: FaustBroker, settings: WorkerSettings) -> dict[str, Any]:
    given = {"broker_session_timeout": settings.session_s, **broker.settings}
    session_s = float(given["broker_session_timeout"])
    heartbeat_s = float(given.get("broker_heartbeat_interval", settings.heartbeat_s))
    if not 0 < heartbeat_s < session_s:
        raise SettingError(
            f"heartbeat.interval.ms {heartbeat_s * 1000:.0f}: expected above 0, and less than the session of "
            f"{session_s * 1000:.0f} ms; see [kafka.librdkafka]"
        )
    longest_s = max(session_s, settings.rebalance_s)
    return {
        "broker": broker.url,
        "broker_credentials": _credentials(broker),
        "store": "memory://",
        "autodiscover": False,
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "table_standby_replicas": 0,
        "stream_wait_empty": True,
        # Only a passage: the agent takes batches at once, and the lanes hold their frames.
        "stream_buffer_maxsize": 4,
        "broker_commit_interval": settings.commit_interval_s,
        "broker_heartbeat_interval": settings.heartbeat_s,
        "broker_rebalance_timeout": settings.rebalance_s,
        "broker_request_timeout": max(40.0, longest_s + 10),
        # A worker with no partition would fall out of the group for good after this time (aiokafka#1187).
        "broker_max_poll_interval": 1e7,
        "broker_max_poll_records": 16,
        "consumer_max_fetch_size": 4 * MIB,
        "consumer_auto_offset_reset": "earliest",
        # As in librdkafka: TCP has its own, and a damaged picture is found when it is decoded. Sums over whole frames
        # cost as much as all else that is done to fetch them.
        "broker_check_crcs": False,
        # So soon a topic is noticed that was made again.
        "consumer_metadata_max_age_ms": 10_000,
        "producer_request_timeout": 40.0,
        **given,
    }


def _credentials(broker: FaustBroker) -> Any:
    if broker.sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=ClientCredentials(broker), ssl_context=broker.ssl_context)
    if broker.sasl_mechanism:
        return faust.SASLCredentials(
            username=broker.username,
            password=broker.password,
            mechanism=broker.sasl_mechanism,
            ssl_context=broker.ssl_context,
        )
    return faust.SSLCredentials(context=broker.ssl_context) if broker.ssl_context else None


def _check_extension() -> None:
    # Without it aiokafka reads records in Python, many times slower, and says nothing.
    if "_crecords" not in DefaultRecordBatch.__module__:
        raise FramelaneError("aiokafka's C extension is missing: install a wheel of aiokafka for this Python")
