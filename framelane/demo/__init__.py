"""The demo: cameras, an embedded Kafka and a worker on this machine, as processes of their own, and what they do."""

from framelane.demo.run import DemoSettings, run_demo

__all__ = ["DemoSettings", "run_demo"]
