"""Subscriptions: the frames or events of a topic, each once, in order for each camera."""

from consumers.base_subscription import BaseSubscription
from consumers.event_intake import EventIntake
from consumers.frame_intake import FrameIntake
from consumers.intake import Intake
from consumers.received import ReceivedEvent, ReceivedFrame


class Subscription(BaseSubscription[ReceivedFrame]):
    """The frames of a topic; see `subscribe`."""

    def _make_intake(self) -> Intake[ReceivedFrame]:
        return FrameIntake(self.settings, horizon=self._horizon)


class EventSubscription(BaseSubscription[ReceivedEvent]):
    """The events of a topic; see `subscribe_events`."""

    def _make_intake(self) -> Intake[ReceivedEvent]:
        return EventIntake(self.settings, horizon=self._horizon)
