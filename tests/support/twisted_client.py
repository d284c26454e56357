"""A client as users of the old server have written theirs: Twisted, Int32 strings, its default limit of 99,999 bytes.

usage: python twisted_client.py HOST:PORT IN_DIR OUT_DIR. Sends the files of IN_DIR in the order of their names, all at
once, on one connection; writes what comes back to OUT_DIR as 0000, 0001, ...
"""

import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.protocol import ClientFactory
from twisted.protocols.basic import Int32StringReceiver


class Asker(Int32StringReceiver):
    def connectionMade(self) -> None:
        self.answers = 0
        self.files = sorted(self.factory.source.iterdir())
        for path in self.files:
            self.sendString(path.read_bytes())

    def stringReceived(self, data: bytes) -> None:
        (self.factory.target / f"{self.answers:04d}").write_bytes(data)
        self.answers += 1
        if self.answers == len(self.files):
            self.transport.loseConnection()

    def lengthLimitExceeded(self, length: int) -> None:
        print(f"a reply of {length} bytes is too long", file=sys.stderr)
        self.transport.loseConnection()


class AskerFactory(ClientFactory):
    protocol = Asker

    def __init__(self, source: Path, target: Path) -> None:
        self.source, self.target = source, target

    def clientConnectionLost(self, connector: object, reason: object) -> None:
        reactor.stop()

    def clientConnectionFailed(self, connector: object, reason: object) -> None:
        print(reason, file=sys.stderr)
        reactor.stop()


def main() -> None:
    where, source, target = sys.argv[1:]
    host, _, port = where.rpartition(":")
    reactor.connectTCP(host, int(port), AskerFactory(Path(source), Path(target)))
    reactor.run()


if __name__ == "__main__":
    main()
