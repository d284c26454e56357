import threading

import pytest
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException

from producers.deliveries import Outgoing
from producers.outbox import MAX_SENT_FRAMES, RETRY_S, Done, Outbox, Policy, wait_all_empty
from streams.contract.errors import KafkaError

TIMED_OUT = ClientError(ClientError._MSG_TIMED_OUT)
AWAY = ClientError(ClientError._UNKNOWN_TOPIC)


def record(number: int, *, size: int = 100) -> Outgoing:
    return Outgoing(
        topic="t", camera_id="c", name=f"c/e/{number}", value=b"x" * size, headers=[], captured_at_ns=number
    )


class Client:
    """Takes records and keeps them until it is told to answer; and hears what became of them."""

    def __init__(self, *, takes: int = 10_000) -> None:
        self.takes = takes
        self.now_s = 100.0
        self.looked = threading.Event()
        self.held: list[tuple[Outgoing, Done]] = []
        self.order: list[int] = []
        self.fates: list[tuple[int, str]] = []
        self.refuses: ClientError | None = None

    def clock(self) -> float:
        self.looked.set()
        return self.now_s

    def send(self, sent: Outgoing, done: Done) -> None:
        if self.refuses is not None:
            raise KafkaException(self.refuses)
        if len(self.held) >= self.takes:
            raise BufferError
        self.order.append(sent.captured_at_ns)
        self.held.append((sent, done))

    def answer(self, count: int, *, error: ClientError | None = None) -> None:
        for _ in range(count):
            _, done = self.held.pop(0)
            done(error)

    def delivered(self, record: Outgoing) -> None:
        self.fates.append((record.captured_at_ns, "delivered"))

    def keeps(self, record: Outgoing, error: ClientError) -> bool:
        return error.code() == AWAY.code()

    def failed(self, record: Outgoing, error: ClientError) -> None:
        self.fates.append((record.captured_at_ns, error.name()))

    def given_up(self, record: Outgoing, reason: str) -> None:
        self.fates.append((record.captured_at_ns, reason))


def outbox(client: Client, *, policy: Policy, max_bytes: int = 100_000) -> Outbox:
    return Outbox(client.send, client, policy=policy, stop=threading.Event(), max_bytes=max_bytes, clock=client.clock)


def test_every_record_meets_one_fate() -> None:
    client = Client()
    box = outbox(client, policy="block")
    for number in range(4):
        box.put(record(number))
    client.answer(3)
    client.answer(1, error=TIMED_OUT)
    assert client.fates == [(0, "delivered"), (1, "delivered"), (2, "delivered"), (3, "_MSG_TIMED_OUT")]
    assert box.pending == 0


def test_what_the_client_refuses_at_once_has_failed() -> None:
    client = Client()
    client.refuses = TIMED_OUT
    box = outbox(client, policy="block")
    box.put(record(0))
    assert client.fates == [(0, "_MSG_TIMED_OUT")]
    assert box.pending == 0


@pytest.mark.parametrize("limit", ["bytes", "client"])
def test_block_waits_until_there_is_room(limit: str) -> None:
    client = Client(takes=3 if limit == "client" else 10_000)
    box = outbox(client, policy="block", max_bytes=300 if limit == "bytes" else 100_000)
    for number in range(3):
        box.put(record(number))
    blocked = threading.Thread(target=box.put, args=(record(3),))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    assert client.order == [0, 1, 2]
    client.answer(1)
    blocked.join(10)
    assert client.order == [0, 1, 2, 3]


def test_block_ends_when_it_is_stopped() -> None:
    client, stop = Client(takes=1), threading.Event()
    box = Outbox(client.send, client, policy="block", stop=stop)
    box.put(record(0))
    stop.set()
    box.put(record(1))
    assert client.fates == [(1, "stopped")]


def test_drop_oldest_never_waits_and_keeps_the_newest() -> None:
    client = Client()
    box = outbox(client, policy="drop_oldest", max_bytes=1000)
    for number in range(40):
        box.put(record(number))
    # Half of the room is what the client may hold; the other half waits, and its oldest go.
    assert client.order == [0, 1, 2, 3, 4]
    assert [number for number, fate in client.fates if fate == "buffer_full"] == list(range(5, 35))
    while client.held:
        client.answer(1)
    assert client.order == [0, 1, 2, 3, 4, *range(35, 40)]
    assert len(client.fates) == 40
    assert box.pending == 0


def test_drop_oldest_gives_the_client_so_many_frames_at_a_time() -> None:
    client = Client()
    box = outbox(client, policy="drop_oldest")
    for number in range(MAX_SENT_FRAMES + 5):
        box.put(record(number))
    assert len(client.held) == MAX_SENT_FRAMES
    client.answer(2)
    assert len(client.held) == MAX_SENT_FRAMES


def test_drop_oldest_goes_on_after_a_full_client_and_after_failures() -> None:
    client = Client(takes=1)
    box = outbox(client, policy="drop_oldest")
    for number in range(3):
        box.put(record(number))
    client.answer(1, error=TIMED_OUT)
    box.put(record(3))
    client.answer(1)
    client.answer(1)
    client.answer(1)
    assert client.order == [0, 1, 2, 3]


def test_one_frame_fits_however_large() -> None:
    for policy in ("block", "drop_oldest"):
        client = Client()
        outbox(client, policy=policy, max_bytes=10).put(record(0, size=1000))
        assert client.order == [0]


def test_waiting_ends_at_the_deadline_or_when_nothing_is_left() -> None:
    client = Client()
    box = outbox(client, policy="block")
    assert box.wait_empty(lambda: client.now_s + 60) == 0
    box.put(record(0))
    assert box.wait_empty(lambda: client.now_s) == 1
    client.answer(1)
    assert box.wait_empty(lambda: client.now_s + 60) == 0


def test_each_frame_that_arrives_begins_the_wait_anew() -> None:
    client = Client()
    quiet, busy = outbox(client, policy="block"), outbox(client, policy="block")
    for number in range(4):
        busy.put(record(number))
    left: list[int] = []
    waiting = threading.Thread(
        target=lambda: left.extend(wait_all_empty([quiet, busy], timeout_s=10, clock=client.clock))
    )
    waiting.start()
    for _ in range(3):
        client.now_s += 6
        client.answer(1)
        # It has seen the time twice since: once before it waited again.
        for _ in range(2):
            client.looked.clear()
            assert client.looked.wait(10)
    client.now_s += 11
    waiting.join(10)
    assert left == [0, 1]


@pytest.mark.parametrize("policy", ["block", "drop_oldest"])
def test_what_comes_back_is_sent_again_before_all_others_after_a_rest(policy: Policy) -> None:
    client = Client()
    box = outbox(client, policy=policy)
    for number in range(4):
        box.put(record(number))
    client.answer(1)
    client.answer(2, error=AWAY)
    box.put(record(4))
    client.now_s += RETRY_S
    box.pump()
    # Number 3 is still under way: were 1 sent now, it could come after it.
    assert client.order == [0, 1, 2, 3]
    client.answer(1, error=AWAY)
    box.pump()
    assert client.order == [0, 1, 2, 3]
    client.now_s += RETRY_S
    box.pump()
    client.answer(4)
    assert client.order == [0, 1, 2, 3, 1, 2, 3, 4]
    assert [number for number, fate in client.fates if fate == "delivered"] == [0, 1, 2, 3, 4]
    assert (box.pending, len(client.fates)) == (0, 5)


def test_block_keeps_what_a_client_refuses_while_the_topic_is_away_and_waits_when_it_is_full() -> None:
    client = Client()
    client.refuses = AWAY
    box = outbox(client, policy="block", max_bytes=300)
    for number in range(3):
        box.put(record(number))
    blocked = threading.Thread(target=box.put, args=(record(3),))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    client.refuses = None
    client.now_s += RETRY_S
    while blocked.is_alive():
        client.answer(len(client.held))
        blocked.join(0.01)
    while client.held:
        client.answer(1)
    assert client.order == [0, 1, 2, 3]


def test_drop_oldest_drops_what_came_back_first() -> None:
    client = Client()
    box = outbox(client, policy="drop_oldest", max_bytes=300)
    box.put(record(0))
    client.answer(1, error=AWAY)
    for number in range(1, 5):
        box.put(record(number))
    assert client.fates == [(0, "buffer_full"), (1, "buffer_full")]
    assert box.pending == 3


def test_closing_counts_what_waits_and_what_comes_back_later() -> None:
    client = Client(takes=2)
    box = outbox(client, policy="drop_oldest")
    for number in range(4):
        box.put(record(number))
    box.close("undelivered")
    assert client.fates == [(2, "undelivered"), (3, "undelivered")]
    client.answer(1, error=AWAY)
    client.answer(1)
    assert client.fates[2:] == [(0, "undelivered"), (1, "delivered")]
    assert box.pending == 0


def test_nothing_is_taken_once_it_is_closed() -> None:
    client = Client()
    box = outbox(client, policy="block")
    box.close("undelivered")
    with pytest.raises(KafkaError, match="camera c: its producer is closed"):
        box.put(record(0))
    assert client.fates == [(0, "undelivered")]


def test_what_comes_back_in_another_order_is_sent_in_the_first_and_one_alone_tries_the_way() -> None:
    client = Client()
    box = outbox(client, policy="block")
    for number in range(4):
        box.put(record(number))
    # What waited in the client comes back before what was on its way.
    for at in (2, 2, 0, 0):
        client.held.pop(at)[1](AWAY)
    client.now_s += RETRY_S
    box.pump()
    assert client.order[4:] == [0]
    box.put(record(4))
    assert client.order[4:] == [0], "nothing follows before one has arrived"
    while client.held:
        client.answer(1)
    assert client.order[4:] == [0, 1, 2, 3, 4]
    assert box.pending == 0


def test_whoever_waits_for_room_when_it_is_closed_is_told() -> None:
    client = Client()
    box = outbox(client, policy="block", max_bytes=100)
    box.put(record(0))
    told: list[KafkaError] = []

    def put() -> None:
        try:
            box.put(record(1))
        except KafkaError as error:
            told.append(error)

    blocked = threading.Thread(target=put)
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    box.close("undelivered")
    client.answer(1)
    blocked.join(10)
    assert [str(error) for error in told] == ["camera c: its producer is closed; frames go there no more"]
    assert client.fates == [(0, "delivered"), (1, "undelivered")]


def put_apart(box: Outbox, number: int) -> threading.Thread:
    """Put a record on a thread that has to wait for room."""
    blocked = threading.Thread(target=box.put, args=(record(number),))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    return blocked


def test_what_the_client_has_got_counts_so_that_the_newest_may_be_the_one_to_go() -> None:
    client = Client()
    box = outbox(client, policy="drop_oldest", max_bytes=1000)
    for number in range(3):
        box.put(record(number, size=700))
    assert client.order == [0]
    assert client.fates == [(1, "buffer_full"), (2, "buffer_full")]
    client.answer(1)
    box.put(record(3, size=700))
    assert client.order == [0, 3]


def test_a_smaller_buffer_drops_what_is_too_much_and_a_larger_one_takes_more() -> None:
    client = Client(takes=0)
    box = outbox(client, policy="drop_oldest", max_bytes=1000)
    for number in range(10):
        box.put(record(number))
    box.change(max_bytes=300)
    assert client.fates == [(number, "buffer_full") for number in range(7)]
    box.change(max_bytes=500)
    for number in range(10, 12):
        box.put(record(number))
    assert (box.pending, len(client.fates)) == (5, 7)


def test_block_loses_nothing_to_a_smaller_buffer() -> None:
    client = Client()
    box = outbox(client, policy="block", max_bytes=500)
    for number in range(5):
        box.put(record(number))
    box.change(max_bytes=200)
    blocked = put_apart(box, 5)
    client.answer(4)
    blocked.join(10)
    client.answer(2)
    assert client.fates == [(number, "delivered") for number in range(6)]


def test_who_waits_for_room_goes_on_in_the_new_room() -> None:
    client = Client()
    box = outbox(client, policy="block", max_bytes=200)
    for number in range(2):
        box.put(record(number))
    blocked = put_apart(box, 2)
    box.change(max_bytes=300)
    blocked.join(10)
    assert client.order == [0, 1, 2]


def test_who_waits_for_room_goes_on_by_the_new_policy() -> None:
    client = Client()
    box = outbox(client, policy="block", max_bytes=200)
    for number in range(2):
        box.put(record(number))
    blocked = put_apart(box, 2)
    box.change(policy="drop_oldest")
    blocked.join(10)
    assert not blocked.is_alive()
    assert client.fates == [(2, "buffer_full")]


def test_block_again_drops_nothing() -> None:
    client = Client(takes=0)
    box = outbox(client, policy="drop_oldest", max_bytes=300)
    for number in range(3):
        box.put(record(number))
    box.change(policy="block")
    blocked = put_apart(box, 3)
    client.takes = 10
    box.pump()
    client.answer(3)
    blocked.join(10)
    client.answer(1)
    assert client.fates == [(number, "delivered") for number in range(4)]


def test_shut_it_takes_no_more_sends_what_it_has_and_can_be_opened_again() -> None:
    client = Client(takes=1)
    box = outbox(client, policy="drop_oldest")
    for number in range(2):
        box.put(record(number))
    box.shut()
    with pytest.raises(KafkaError, match="is closed"):
        box.put(record(2))
    for _ in range(2):
        client.answer(1)
    box.reopen(threading.Event())
    box.put(record(3))
    client.answer(1)
    assert client.fates == [(2, "undelivered"), (0, "delivered"), (1, "delivered"), (3, "delivered")]
    box.close("undelivered")
    box.reopen(threading.Event())
    with pytest.raises(KafkaError, match="is closed"):
        box.put(record(4))
