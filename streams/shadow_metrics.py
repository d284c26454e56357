"""What `/metrics` says of a shadow.

Names of their own, and none of a worker's: a shadow that is late, fails or is gone is no reason to wake anybody.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.accounts import Accounts
from streams.progress import Progress
from streams.shadow_pipeline import ShadowPipeline


class ShadowMetrics(Collector):
    """The metrics of one shadow; the label `pipeline` is the live one's name."""

    def __init__(self, shadow: ShadowPipeline, progress: Progress, accounts: Accounts) -> None:
        self._shadow, self._progress, self._accounts = shadow, progress, accounts
        self._pipeline = shadow.shadow.live.name

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        totals, figures = self._shadow.comparison.totals(), self._shadow.figures()
        yield self._counter("frames", "Frames that both settings have seen.", totals.frames)
        yield self._counter("changed_frames", "Frames with other events.", totals.changed_frames)
        yield self._counter("changed_events", "Events that only one of both has found.", totals.changed_events)
        only = CounterMetricFamily(
            "framelane_shadow_only_frames", "Frames of which only one made an output.", labels=["pipeline", "by"]
        )
        only.add_metric([self._pipeline, "live"], totals.only_live)
        only.add_metric([self._pipeline, "shadow"], totals.only_shadow)
        yield only
        skipped = sum(account.sums.stale for _, account in self._accounts.accounts())
        yield self._counter("skipped_frames", "Frames that the shadow had no time for.", skipped)
        likeness = GaugeMetricFamily(
            "framelane_shadow_psnr_db",
            "How much pictures of the last minute are alike; 100: the same.",
            labels=["pipeline", "of"],
        )
        for of, value in (("mean", figures.psnr_mean_db), ("lowest", figures.psnr_lowest_db)):
            if value is not None:
                likeness.add_metric([self._pipeline, of], value)
        yield likeness
        lag = GaugeMetricFamily("framelane_shadow_lag_frames", "High watermark minus position.", labels=["pipeline"])
        lag.add_metric([self._pipeline], sum(self._progress.lag().values()))
        yield lag
        info = GaugeMetricFamily(
            "framelane_shadow_info", "1; what is compared is in the labels.", labels=["pipeline", "live", "shadow"]
        )
        info.add_metric([self._pipeline, *(each.partition("@")[2] for each in (figures.live, figures.shadow))], 1)
        yield info

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(f"framelane_shadow_{name}", text, labels=["pipeline"])
        family.add_metric([self._pipeline], value)
        return family
