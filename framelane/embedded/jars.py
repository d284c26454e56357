"""Kafka's jars: fetched once, kept under the user's cache folder, whole or not at all."""

import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from streams.contract.errors import EmbeddedBrokerError

KAFKA_VERSION = "4.3.0"
_KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
_DOWNLOADS = 4

logger = logging.getLogger(__name__)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the jars of this Kafka are kept: `$XDG_CACHE_HOME/framelane` or `~/.cache/framelane`, by version."""
    base = environ.get("XDG_CACHE_HOME")
    try:
        caches = Path(base) if base else Path.home() / ".cache"
    except RuntimeError as error:
        raise EmbeddedBrokerError(
            "this user has no home folder to keep Kafka's jars in: XDG_CACHE_HOME names another place"
        ) from error
    return caches / "framelane" / f"kafka-{KAFKA_VERSION}"


def classpath(folder: Path | None = None) -> str:
    """What `java -cp` needs to run Kafka; the first time, the jars are fetched, and this takes half a minute.

    Raises EmbeddedBrokerError when the resolver is not installed, or the jars cannot be fetched or written.
    """
    folder = folder or cache_folder()
    if not folder.is_dir():
        _fetch_into(folder)
    return os.pathsep.join(sorted(str(path) for path in folder.glob("*.jar")))


def to_be_fetched(folder: Path | None = None) -> str:
    """What to tell whoever starts Kafka and will have to wait for its jars; "" when they are there."""
    folder = folder or cache_folder()
    if folder.is_dir():
        return ""
    return f"fetching Apache Kafka {KAFKA_VERSION} and its libraries (42 MB, once; kept in {folder.parent}) ..."


def _fetch_into(folder: Path) -> None:
    # An interrupted download must not look like a finished one, and two starts at once must not mix:
    # everything is fetched into a folder of its own, which takes the name when it is complete.
    logger.info("fetching Apache Kafka %s into %s", KAFKA_VERSION, folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as staging:
            whole = Path(staging, "whole")
            whole.mkdir()
            for jar in _download(Path(staging, "repository")):
                shutil.move(jar, whole / jar.name)
            try:
                whole.rename(folder)
            except OSError:
                # Another process was quicker: its jars are the same.
                if not folder.is_dir():
                    raise
    except OSError as error:
        # requests' errors are OSErrors too: this is the network's failure as well as the disk's.
        raise EmbeddedBrokerError(_why(error, folder)) from error
    except (RuntimeError, ElementTree.ParseError) as error:
        # The second: something answers in Maven Central's place, such as a hotel's login page.
        raise EmbeddedBrokerError(f"cannot fetch Apache Kafka {KAFKA_VERSION} from Maven Central: {error}") from error


def _download(repository: Path) -> list[Path]:
    """Fetch Kafka, what it needs, and the binding that leads its log lines to log4j2; the paths of the jars."""
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise EmbeddedBrokerError(
            "the embedded Kafka is not installed: pip install 'framelane[broker]', or name your own with --bootstrap"
        ) from error
    # A mirror of Maven Central can be named in jgo's own settings file (~/.config/jgo.conf, [repositories]).
    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    context = MavenContext(resolver=PythonResolver(), repo_cache=repository, remote_repos=repositories, timeout=30)
    inputs, transitive = context.resolver.resolve([context.create_dependency(_KAFKA)])
    artifacts = [found.artifact for found in [*inputs, *transitive] if found.scope not in ("provided", "system")]
    # The binding for slf4j 1.7, which Kafka uses, in the version of its log4j. Resolved in one go with Kafka, it would
    # bring other versions of Kafka's own jars.
    log4j = next(artifact.version for artifact in artifacts if artifact.artifactId == "log4j-core")
    binding = context.project("org.apache.logging.log4j", "log4j-slf4j-impl").at_version(log4j).artifact()
    with ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="jars") as pool:
        return list(pool.map(_resolve, [*artifacts, binding]))


def _resolve(artifact: Any) -> Path:
    path: Path = artifact.resolve()
    return path


def _why(error: OSError, folder: Path) -> str:
    what = f"cannot fetch Apache Kafka {KAFKA_VERSION}"
    if error.errno is not None:
        return f"{what} into {folder}: {error.strerror}; XDG_CACHE_HOME names another place"
    return (
        f"{what} from Maven Central, which is needed once: {type(error).__name__}. "
        "Connect this machine, name a mirror in ~/.config/jgo.conf, or give --bootstrap to use a Kafka that runs"
    )
