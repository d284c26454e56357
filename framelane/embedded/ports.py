"""Free ports on this machine."""

import socket
from contextlib import ExitStack

from framelane.embedded.config import HOST
from streams.contract.errors import EmbeddedBrokerError


def free_ports(count: int) -> list[int]:
    """That many different ports that nobody listens on now; another process may still take one before we do."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind((HOST, 0))
        return [listener.getsockname()[1] for listener in sockets]


def check_port_free(port: int) -> None:
    """Raise EmbeddedBrokerError when somebody listens on the port, or we may not."""
    with socket.socket() as listener:
        # As Java does: a port that only waits for its old connections to fade away is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except PermissionError as error:
            raise EmbeddedBrokerError(f"port {port} on {HOST}: not permitted; take one above 1023") from error
        except OSError as error:
            raise EmbeddedBrokerError(port_taken(port)) from error


def port_taken(port: int) -> str:
    """What to tell whoever asked for a port that is taken."""
    return f"port {port} on {HOST} is taken: stop what listens there, or choose another one (0: any that is free)"
