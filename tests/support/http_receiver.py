"""A webhook's receiver that is busy, drops connections, and is restarted, as real ones are."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Self


class HttpReceiver:
    """Takes CloudEvents on a port of its own; use with `with`.

    taken: (ce-id, whether it was marked as redelivered) of each event that was taken, in order. Every 25th post
    gets 503; of every eleventh the event is taken, but the answer is never sent; three in a row get nothing at all.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[str, bool]] = []
        self._posts = count(1)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, name: str, *, redelivered: bool) -> int:
        """Take a post; the status, or 0 to close without one."""
        with self._lock:
            number = next(self._posts)
            if number in (41, 42, 43):
                return 0
            if number % 25 == 0:
                return 503
            self.taken.append((name, redelivered))
            return 0 if number % 11 == 0 else 204

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                redelivered = self.headers.get("framelane-redelivered") == "true"
                status = receiver.answer(self.headers["ce-id"], redelivered=redelivered)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Not to stderr."""

        return Handler
