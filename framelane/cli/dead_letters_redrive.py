"""`framelane dead-letters redrive`."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.dead_letter_options import (
    AsJson,
    OfPipeline,
    Reasons,
    Since,
    Topic,
    Until,
    asked_for,
    book_of,
    count_text,
    letter_filter,
    reading,
    say,
)
from framelane.cli.options import DEFAULT_WAIT, INTERRUPTED, Bootstrap, Config, LogLevel, Wait
from framelane.cli.receiving import Cameras
from streams.contract.errors import SettingError
from streams.contract.topics import DEAD_LETTER

if TYPE_CHECKING:
    from framelane.redrive import Outcome, Redriver, Sums

# More than that nobody sends by mistake.
_ASKS_ABOVE = 100


def redrive(
    *,
    reason: Reasons = None,
    camera: Cameras = None,
    pipeline: OfPipeline = "",
    since: Since = None,
    until: Until = None,
    topic: Topic = DEAD_LETTER,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    max_attempts: Annotated[
        int, typer.Option("--max-attempts", min=2, max=100, help="Refuse frames that have failed so often.")
    ] = 3,
    again: Annotated[bool, typer.Option("--again", help="Also what was redriven or mended before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help=f"Do not ask before more than {_ASKS_ABOVE} are sent.")] = False,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Send the frames of dead letters through again, once each, after what was wrong is mended.

    Each goes to its old partition, is answered by the pipeline that failed and by no other, and comes out of its order.
    What succeeds is marked as mended; what fails again makes a letter of the next attempt. A line for each letter is
    on stdout, the sums follow on stderr; the exit code is 1 when any was refused.

    **Examples**

    `framelane dead-letters redrive --reason operator_error --since -1h --dry-run`

    `framelane dead-letters redrive --pipeline privacy --yes`
    """
    from framelane.redrive import Redriver
    from framelane.stopping import stop_on_signals

    asked = asked_for(bootstrap, config, wait, log_level, topic)
    wanted = letter_filter(reason, camera, pipeline, since, until)
    with reading(asked, since_ns=wanted.since_ns, marks=not dry_run) as read:
        book = book_of(asked, wanted, read)
        done = book.count("redriven") + book.count("mended")
        skipped = {"redriven before": 0 if again else done, "failed again": book.count("failed_again")}
        left = min(len(book) - sum(skipped.values()), sys.maxsize if limit is None else limit)
        if left > _ASKS_ABOVE and not yes and not dry_run:
            _ask(left)
        redriver = Redriver(asked.kafka, max_attempts=max_attempts, dry=dry_run, report=_reporter(as_json))
        with stop_on_signals() as stop:
            try:
                for letter, record in book.of(read.records()) if left else ():
                    if stop.requested or not left:
                        break
                    if letter.state == "open" or (again and letter.state != "failed_again"):
                        # What is refused does not count, or a --limit would meet the same ones each time.
                        left -= redriver.send(letter, record)
            except BrokenPipeError:
                # Whoever read our lines has gone, as with `| head`: no more is sent. `finish` says it again.
                pass
            finally:
                # What has been sent is to be marked, whatever happened.
                _finish(redriver)
    say("redrive", _sums(redriver.sums, skipped, dry=dry_run))
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)
    if redriver.sums.refused:
        raise typer.Exit(1)


def _finish(redriver: "Redriver") -> None:
    try:
        redriver.finish()
    except BrokenPipeError:
        # Python flushes stdout again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise SettingError(f"{count} letters are to be redriven: --yes sends them all, --limit, --since ... fewer")
    typer.confirm(f"Redrive {count} dead letters?", abort=True, err=True)


def _reporter(as_json: bool) -> "Callable[[Outcome], None]":
    from framelane.cli.dead_letter_view import outcome_json, outcome_text

    def report(outcome: "Outcome") -> None:
        print(outcome_json(outcome) if as_json else outcome_text(outcome), flush=True)

    return report


def _sums(sums: "Sums", skipped: dict[str, int], *, dry: bool) -> str:
    parts = [f"{count_text(sums.sent)} {'would be sent' if dry else 'sent'}"]
    reasons = ", ".join(f"{kind} {count}" for kind, count in sorted(sums.refused.items()))
    parts.append(f"{sums.refused.total()} refused{f' ({reasons})' * bool(reasons)}")
    parts.append(f"{skipped['redriven before']} skipped as redriven before")
    if skipped["failed again"]:
        parts.append(f"{skipped['failed again']} skipped as a later letter stands for them")
    return "; ".join(parts)
