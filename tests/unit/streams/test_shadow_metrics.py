"""What a shadow's metrics say, and that they are none of a worker's."""

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.accounts import Accounts
from streams.lanes import Partition
from streams.pipeline_settings import PipelineSettings
from streams.shadow_comparison import Seen
from streams.shadow_metrics import ShadowMetrics
from streams.shadow_pipeline import ShadowPipeline
from streams.shadow_settings import Shadow


def test_each_difference_has_its_name() -> None:
    live, candidate = PipelineSettings(name="gate"), PipelineSettings(name="gate", quality=40)
    shadow, accounts = ShadowPipeline(Shadow(candidate=candidate, live=live)), Accounts()
    for seen in (Seen(made=True), Seen(), Seen(made=True)):
        shadow.comparison.end(shadow.comparison.begin(Seen(made=True)), seen, camera="a")
    accounts.stale("a")
    accounts.stale("b")
    progress: Any = SimpleNamespace(lag=lambda: {Partition("raw", 0): 3, Partition("raw", 1): 4})
    registry = CollectorRegistry()
    registry.register(ShadowMetrics(shadow, progress, accounts))

    families = text_string_to_metric_families(generate_latest(registry).decode())
    found = {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}

    assert found == {
        ("framelane_shadow_frames_total", "gate"): 3,
        ("framelane_shadow_changed_frames_total", "gate"): 0,
        ("framelane_shadow_changed_events_total", "gate"): 0,
        ("framelane_shadow_only_frames_total", "gate", "live"): 1,
        ("framelane_shadow_only_frames_total", "gate", "shadow"): 0,
        ("framelane_shadow_skipped_frames_total", "gate"): 2,
        ("framelane_shadow_lag_frames", "gate"): 7,
        ("framelane_shadow_info", *sorted(["gate", live.hash, candidate.hash])): 1,
    }


def test_how_much_pictures_are_alike() -> None:
    settings = PipelineSettings(name="gate")
    shadow = ShadowPipeline(Shadow(candidate=settings, live=settings))
    both = Seen(made=True, picture=b"the same")
    shadow.comparison.end(shadow.comparison.begin(both), both, camera="a")
    progress: Any = SimpleNamespace(lag=dict)
    registry = CollectorRegistry()
    registry.register(ShadowMetrics(shadow, progress, Accounts()))

    found = {
        of: registry.get_sample_value("framelane_shadow_psnr_db", {"pipeline": "gate", "of": of})
        for of in ("mean", "lowest")
    }

    assert found == {"mean": 100.0, "lowest": 100.0}
