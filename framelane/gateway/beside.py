"""A worker that is kept running beside a command, and ends with it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from framelane.parent import child_environ
from streams.child_process import ChildProcess
from streams.contract.errors import SettingError


@asynccontextmanager
async def worker_beside(command: Sequence[str], name: str, *, ended: Callable[[], None]) -> AsyncIterator[None]:
    """Run the command, started again when it fails, until the block ends; without a command, run nothing.

    A process of its own: a worker that has to end itself, as frames hang in it, takes no connection with it. ended: is
    called when it will not be started again; SettingError is raised after the block where its settings are wrong.
    """
    if not command:
        yield
        return
    child = ChildProcess(name, command, environ=child_environ(os.environ))
    keeping = asyncio.create_task(child.keep(sound=False))
    keeping.add_done_callback(lambda _: ended())
    try:
        yield
    finally:
        child.stop()
        code = await keeping
    if code:
        raise SettingError("the worker says that its settings are wrong: see above")
