"""`framelane work` as one process that serves a pipeline, or as one that supervises several."""

import asyncio
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING

from framelane.cli import options
from streams.contract.errors import FramelaneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.accounts import Accounts
    from streams.contract.kafka_settings import KafkaSettings
    from streams.pipeline_settings import PipelineSettings
    from streams.reload_rules import PipelineFile
    from streams.settings import WorkerSettings
    from streams.shadow_settings import Shadow, ShadowFile


def serve(
    pipeline: "PipelineSettings",
    kafka: "KafkaSettings",
    settings: "WorkerSettings",
    *,
    file: "PipelineFile | None",
    shadow: "Shadow | None" = None,
) -> None:
    """Serve a pipeline until stopped, print what became of its frames, and end the process. As `run_worker`."""
    from streams.accounts import Accounts
    from streams.worker import run_worker

    accounts = Accounts()
    code = FramelaneError.exit_code
    try:
        ended_by = run_worker(pipeline, kafka, settings, accounts, file=file, shadow=shadow)
        code = options.INTERRUPTED if ended_by == signal.SIGINT else 0
    except FramelaneError as error:
        code = error.exit_code
        print(f"framelane: {error}", file=sys.stderr)
    except Exception:  # noqa: BLE001 - a defect of ours: told whole, and the process ends all the same
        traceback.print_exc()
    _print_sums(accounts)
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that hangs, in an operator or in Faust, would keep the interpreter from ending.
    os._exit(code)


def supervise(
    pipelines: "Sequence[PipelineSettings]",
    file: "PipelineFile | None",
    *,
    metrics_port: int,
    shadows: "Sequence[Shadow]" = (),
    shadow_file: "ShadowFile | None" = None,
) -> int:
    """Run this command once more for each pipeline, and for each shadow, until stopped; the exit code.

    file, shadow_file: where they stand; None where there are none, or they stand in the command line.
    """
    from framelane.parent import child_environ
    from streams.shadow_processes import ShadowProcesses
    from streams.supervisor import Supervisor

    # The same command, so that it means the same; but one of us watches the file.
    again = [sys.executable, "-m", "framelane", *sys.argv[1:], "--no-watch"]
    numbers: dict[str, int] = {}

    def command(name: str, part: str) -> list[str]:
        # A port is for one of them; a pipeline that comes back has the one that it had.
        port = metrics_port and metrics_port + numbers.setdefault(f"{part}/{name}", len(numbers))
        which = [*(["--pipeline", name] if file else []), *(["--part", part] if shadow_file else [])]
        return [*again, *which, "--metrics-port", str(port)]

    environ = child_environ(os.environ)

    async def run() -> int:
        beside = None
        if shadow_file is not None:
            beside = ShadowProcesses(shadow_file, shadows, lambda name: command(name, "shadow"), environ=environ)
        return await Supervisor(
            pipelines, lambda name: command(name, "live"), file=file, environ=environ, shadows=beside
        ).run()

    return asyncio.run(run())


def _print_sums(accounts: "Accounts") -> None:
    for camera, sums in sorted(accounts.snapshot(time.time_ns()).items()):
        dead = sum(sums.dead_lettered.values())
        reasons = "".join(f", {reason} {count}" for reason, count in sorted(sums.dead_lettered.items()))
        print(
            f"{camera}: consumed {sums.consumed}, processed {sums.processed}, filtered {sums.filtered}, "
            f"stale {sums.stale}, dead-lettered {dead}{reasons}, returned {sums.returned}, gaps {sums.gaps}",
            file=sys.stderr,
        )
