"""`framelane dead-letters`."""

import json
import re
from pathlib import Path
from typing import Annotated

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
    told,
)
from framelane.cli.dead_letters_redrive import redrive
from framelane.cli.options import DEFAULT_WAIT, Bootstrap, Config, LogLevel, Wait
from framelane.cli.receiving import Cameras
from streams.contract.errors import FramelaneError, SettingError
from streams.contract.topics import DEAD_LETTER

app = typer.Typer(help="Frames that could not be processed: list, show, export, redrive.", no_args_is_help=True)


@app.command("list")
def list_command(
    *,
    reason: Reasons = None,
    camera: Cameras = None,
    pipeline: OfPipeline = "",
    since: Since = None,
    until: Until = None,
    topic: Topic = DEAD_LETTER,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many, the newest; 0 is all.")] = 100,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """List dead letters, the newest last, and draw how many there are for each reason.

    The state is open, redriven (sent through again, and not answered yet), failed again (a later letter stands for it)
    or mended. The topic is read to its end, pictures included, so a `--since` saves time.

    **Examples**

    `framelane dead-letters list`

    `framelane dead-letters list --since -1h --reason operator_error --json | jq .error`
    """
    from consumers.dead_letters import LetterBook

    asked = asked_for(bootstrap, config, wait, log_level, topic)
    wanted = letter_filter(reason, camera, pipeline, since, until)
    book = LetterBook(topic, wanted, keep=limit)
    with reading(asked, since_ns=wanted.since_ns) as read:
        for record in told(read.records(), topic):
            book.add(record)
    letters = book.newest()
    if as_json:
        import msgspec

        for letter in letters:
            print(msgspec.json.encode(letter).decode())
    elif letters:
        from framelane.cli.dead_letter_view import bars, letters_table
        from framelane.cli.topic_table import wide_console

        console = wide_console()
        console.print(letters_table(letters, console))
        console.print(bars(book.counts(), console))
    more = f", the newest {len(letters)} are shown; --limit 0 shows all" if len(letters) < len(book) else ""
    say("list", f"{count_text(len(book))} in {topic}{more}")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="As list tells it, or a frame: CAMERA/EPOCH/SEQUENCE.")],
    *,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the picture there, as it came.")
    ] = None,
    topic: Topic = DEAD_LETTER,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Show one dead letter: the reason, the stage, the operators' versions, the frame's headers, and the mend.

    Of a frame that has several, the newest. A picture too large for a dead letter is fetched from the input topic.

    **Examples**

    `framelane dead-letters show 3/17`

    `framelane dead-letters show gate-1/20260509T073000123-x7k2/812 --to frame.jpg`
    """
    from consumers.dead_letters import LetterBook, LetterFilter

    asked = asked_for(bootstrap, config, wait, log_level, topic)
    id = id.removeprefix(f"{topic}/")
    place = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,18})", id)
    if not place and id.count("/") < 2:
        raise SettingError(f"dead letter {id!r}: expected PARTITION/OFFSET, as list tells it, or CAMERA/EPOCH/SEQUENCE")
    book, found = LetterBook(topic, LetterFilter(id=id)), None
    with reading(asked, since_ns=_epoch_ns(id)) as read:
        # A letter's marks lie behind it in its own partition.
        starts = {int(place[1]): int(place[2])} if place else None
        for record in told(read.records(starts), topic):
            before = len(book)
            book.add(record)
            found = record if len(book) > before else found
    if found is None:
        raise FramelaneError(f"topic {topic} has no dead letter {id}; `framelane dead-letters list` tells what it has")
    ((letter, record),) = book.of(iter([found]))
    if as_json:
        import msgspec

        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        print(json.dumps(msgspec.to_builtins(letter) | {"headers": headers}))
    else:
        from framelane.cli.dead_letter_view import letter_text
        from framelane.cli.topic_table import wide_console

        others = [each.id for each in book.newest() if each.id != letter.id]
        wide_console().print(letter_text(letter, record, others=others))
    if to is not None:
        from framelane.letter_files import write_picture

        size = write_picture(asked.kafka, letter, record, to)
        say("show", f"{size} bytes written to {to}")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it does not exist.")],
    *,
    reason: Reasons = None,
    camera: Cameras = None,
    pipeline: OfPipeline = "",
    since: Since = None,
    until: Until = None,
    topic: Topic = DEAD_LETTER,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Write the frames of dead letters to files as they came, and what the letters say to DIR/index.jsonl.

    A file is named PARTITION-OFFSET with .jpg, .png, .webp, or .bin for what is no picture. A letter without the
    picture has no file; the index says where the frame lay.

    **Examples**

    `framelane dead-letters export letters/`

    `framelane dead-letters export letters/ --camera 'gate-*' --since -1d`
    """
    from framelane.letter_files import export_letters

    asked = asked_for(bootstrap, config, wait, log_level, topic)
    wanted = letter_filter(reason, camera, pipeline, since, until)
    with reading(asked, since_ns=wanted.since_ns) as read:
        written, files = export_letters(book_of(asked, wanted, read).of(read.records()), folder)
    say("export", f"{count_text(written)} written to {folder / 'index.jsonl'}, {files} of them with a file")


app.command("redrive")(redrive)


def _epoch_ns(name: str) -> int | None:
    """When the epoch in a frame's name began, ns since 1970; None when it does not tell. Its letters are younger."""
    from consumers.lookup.name import epoch_ms

    began_ms = epoch_ms(name.partition("/")[2].rpartition("/")[0])
    return None if began_ms is None else began_ms // 1000 * 1_000_000_000
