"""The single process that the gateway takes the place of: Twisted, which does the work where it receives the image.

It has OpenCV's own threads, as anyone would leave them. Says on stdout which port it has.
"""

import sys

from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import Int32StringReceiver

from benchmarks.contenders.codec import process_of
from benchmarks.job import Job


class ImageServer(Int32StringReceiver):  # type: ignore[misc]
    """Answers each image in its turn."""

    MAX_LENGTH = 16 * 1024 * 1024

    def stringReceived(self, data: bytes) -> None:
        """Do the work, here and now."""
        self.sendString(self.factory.process(b"", data)[0])


if __name__ == "__main__":
    factory = Factory.forProtocol(ImageServer)
    factory.process = process_of(Job.from_json(sys.argv[1]))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    sys.stdout.write(f"port {port.getHost().port}\n")
    sys.stdout.flush()
    reactor.run()
