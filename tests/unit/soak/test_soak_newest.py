"""What clients have got is waited for: all of them, and something newer."""

import threading
import time

from soak_newest import Newest


def test_it_is_waited_for_until_the_last_client_has_something_newer() -> None:
    newest = Newest(["one", "other"])
    newest.tell("one", 20.0)
    newest.tell("other", 9.0)
    assert newest.behind(10.0) == ["other"]
    assert newest.wait_for(10.0, timeout_s=0.01) == float("inf")
    before_s = time.time()
    teller = threading.Timer(0.05, newest.tell, ["other", 11.0])
    teller.start()
    assert before_s < newest.wait_for(10.0, timeout_s=10) <= time.time()
    teller.join()
    assert newest.behind(10.0) == []


def test_what_is_older_than_what_is_there_changes_nothing() -> None:
    newest = Newest(["one"])
    newest.tell("one", 20.0)
    newest.tell("one", 5.0)
    assert newest.wait_for(19.0, timeout_s=0.01) < float("inf")
