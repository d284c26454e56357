"""A worker as users of the old server have written theirs: Twisted, Int32 strings, turns each image upside down.

usage: python twisted_worker.py HOST:PORT [WORD]. Prints a line for each image. WORD: "silent" never answers, "dies"
goes when it is handed its third image, "empty" returns empty strings, "junk" something that is no image.
"""

import sys

import cv2
import numpy as np
from twisted.internet import reactor
from twisted.internet.protocol import ReconnectingClientFactory
from twisted.protocols.basic import Int32StringReceiver


class Worker(Int32StringReceiver):
    MAX_LENGTH = 16 * 1024 * 1024
    handed = 0

    def connectionMade(self) -> None:
        print("connected", flush=True)

    def stringReceived(self, data: bytes) -> None:
        self.handed += 1
        print(f"image of {len(data)} bytes", flush=True)
        word = self.factory.word
        if word == "dies" and self.handed == 3:
            reactor.stop()
        elif word in ("empty", "junk"):
            self.sendString(b"" if word == "empty" else b"this is no image")
        elif word != "silent":
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            self.sendString(cv2.imencode(".jpg", cv2.rotate(image, cv2.ROTATE_180))[1].tobytes())


class WorkerFactory(ReconnectingClientFactory):
    protocol = Worker
    maxDelay = 0.2

    def __init__(self, word: str) -> None:
        self.word = word


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    reactor.connectTCP(host, int(port), WorkerFactory(sys.argv[2] if len(sys.argv) > 2 else ""))
    reactor.run()


if __name__ == "__main__":
    main()
