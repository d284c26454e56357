"""A file of cameras: a [[camera]] for each, and [defaults] for what they share."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from producers.credentials import Address
from producers.outbox import Policy
from producers.pictures import DEFAULT_QUALITY, parse_size
from producers.sources.base import SILENCE_S, Decoder
from streams.contract.errors import SettingError, SourceError
from streams.contract.identity import check_camera_id
from streams.contract.settings_file import SettingsFile
from streams.contract.settings_values import Mistake, convert, shown
from streams.contract.topics import MIB

DEFAULT_BUFFER_MB = 32.0
_MAX_FPS = 1000.0
_LOGIN = (("username", "username_env", "username_file"), ("password_env", "password_file"))
# What only one camera can have.
_OWN = ("id", "source", "source_env", "source_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraKeys:
    """The keys of a [[camera]], as they are written; what they mean stands in the documentation of producers."""

    id: str
    # It may hold a password all the same.
    source: str = field(default="", repr=False)
    source_env: str = ""
    source_file: str = ""
    username: str = ""
    username_env: str = ""
    username_file: str = ""
    password_env: str = ""
    password_file: str = ""
    topic: str = ""
    fps: float = 0.0
    max_fps: float = 0.0
    size: str = ""
    quality: int = DEFAULT_QUALITY
    loop: bool = False
    realtime: bool = True
    watch: bool = False
    only_motion: bool = False
    keep_alive_s: float = 10.0
    policy: Literal["", "drop_oldest", "block"] = ""
    buffer_mb: float = DEFAULT_BUFFER_MB
    fit: bool = False
    decoder: Decoder = "auto"
    silence_s: float = SILENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """What one camera is to do. keys: as written. address: where it is. size: (width, height) in pixels."""

    keys: CameraKeys
    address: Address
    size: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        """The camera's id."""
        return self.keys.id

    @property
    def buffer_bytes(self) -> int:
        """How much may wait for the broker."""
        return round(self.keys.buffer_mb * MIB)

    @property
    def policy(self) -> Policy | None:
        """What happens when the buffer is full; None: as the source wants it."""
        return self.keys.policy or None


def read_cameras(path: Path, *, environ: Mapping[str, str] = os.environ) -> list[CameraSettings]:
    """The cameras of a file.

    Raises SettingError with each mistake in it, by line and key; a variable or a file with a secret that is not there
    is one.
    """
    file = SettingsFile(path)
    for key in file.content:
        if key not in ("camera", "defaults", "kafka"):
            file.refuse(key, "is unknown; there are [[camera]], [defaults] and [kafka]")
    tables, defaults = file.content.get("camera", []), file.content.get("defaults", {})
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        file.refuse("camera", "has to be written as [[camera]], once for each")
        tables = []
    elif not tables:
        file.refuse(
            "camera", 'is missing: expected a [[camera]] with an id and a source, such as source = "rtsp://..."'
        )
    defaults = _defaults(file, defaults)
    cameras = []
    for index, table in enumerate(tables):
        camera = _camera(file, f"camera[{index}]", _shared(defaults, table) | table, environ)
        if camera is not None:
            cameras.append((index, camera))
    _refuse_twins(file, cameras)
    file.raise_if_wrong()
    return [camera for _, camera in cameras]


def check_camera(keys: CameraKeys, *, folder: Path = Path(), environ: Mapping[str, str] = os.environ) -> CameraSettings:
    """A camera from its keys. folder: what its files are relative to. Raises SettingError for the first wrong value."""
    address = _address(keys, folder)
    for mistakes in (_mistakes(keys), _missing_secrets(address, environ)):
        for mistake in mistakes:
            raise SettingError(f"camera {keys.id}: {mistake.key} {mistake.message}")
    return CameraSettings(keys=keys, address=address, size=_size(keys.size))


def _address(keys: CameraKeys, folder: Path) -> Address:
    given = {each.name: getattr(keys, each.name) for each in fields(Address) if each.name != "folder"}
    return Address(folder=folder, **given)


def _defaults(file: SettingsFile, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        file.refuse("defaults", "has to be one table, [defaults]")
        return {}
    for key in _OWN:
        if key in table:
            file.refuse(f"defaults.{key}", "belongs to one camera: write it into its [[camera]]")
    wrong = [mistake for mistake in convert(CameraKeys, table)[1] if mistake.key not in _OWN]
    file.refuse_all("defaults", list(map(_told, wrong)))
    wrong_keys = {mistake.key for mistake in wrong}
    return {key: value for key, value in table.items() if key not in _OWN and key not in wrong_keys}


def _shared(defaults: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """The defaults that hold for a camera: a login is for addresses without one, and each part of it comes one way."""
    source = str(table.get("source", ""))
    has_own = source and ("://" not in source or "@" in source)
    taken = {key for group in _LOGIN if has_own or any(key in table for key in group) for key in group}
    return {key: value for key, value in defaults.items() if key not in taken}


def _told(mistake: Mistake) -> Mistake:
    """A mistake of a key that may hold a secret is told without its value."""
    secret = mistake.key.startswith(("source", "username", "password")) and mistake.message.startswith("= ")
    return Mistake(mistake.key, "has a value of another kind: expected text") if secret else mistake


def _camera(file: SettingsFile, where: str, table: dict[str, Any], environ: Mapping[str, str]) -> CameraSettings | None:
    sound, mistakes = convert(CameraKeys, table)
    if not mistakes:
        keys = CameraKeys(**sound)
        mistakes = list(_mistakes(keys))
        address = _address(keys, file.path.parent)
        if not mistakes:
            mistakes = list(_missing_secrets(address, environ))
        if not mistakes:
            return CameraSettings(keys=keys, address=address, size=_size(keys.size))
    file.refuse_all(where, list(map(_told, mistakes)))
    return None


def _mistakes(keys: CameraKeys) -> Iterator[Mistake]:
    try:
        check_camera_id(keys.id)
        _size(keys.size)
    except SettingError as error:
        yield Mistake("size" if str(error).startswith("size") else "id", f"is wrong: {error}")
    ways = [bool(keys.source), bool(keys.source_env), bool(keys.source_file)]
    if sum(ways) != 1:
        yield Mistake("source", "is missing: give one of source, source_env and source_file")
    for what in ("username", "password"):
        given = [name for name in (what, f"{what}_env", f"{what}_file") if getattr(keys, name, "")]
        if len(given) > 1:
            yield Mistake(given[1], f"is one too many: {given[0]} is given as well")
    for name, least, most, expected in (
        ("fps", 0, _MAX_FPS, "a number from 0 (its own) to 1000"),
        ("max_fps", 0, _MAX_FPS, "a number from 0 (no limit) to 1000"),
        ("quality", 1, 100, "a whole number from 1 to 100"),
        ("keep_alive_s", 0, 86_400, "seconds from 0 (none) to 86400"),
        ("buffer_mb", 1, 65_536, "MiB from 1 to 65536"),
        ("silence_s", 1, 3600, "seconds from 1 to 3600"),
    ):
        value = getattr(keys, name)
        if not least <= value <= most:
            yield Mistake(name, f"= {shown(value)}: expected {expected}")


def _size(text: str) -> tuple[int, int] | None:
    return parse_size(text, setting="size") if text else None


def _missing_secrets(address: Address, environ: Mapping[str, str]) -> Iterator[Mistake]:
    try:
        address.resolve(environ)
    except SourceError as error:
        key = str(error).partition(":")[0]
        yield Mistake(key if key.endswith(("_env", "_file")) else "source", f"cannot be used: {error}")


def _refuse_twins(file: SettingsFile, cameras: list[tuple[int, CameraSettings]]) -> None:
    seen: dict[str, int] = {}
    stdin = None
    for index, camera in cameras:
        if camera.id in seen:
            file.refuse(f"camera[{index}].id", f"= {shown(camera.id)}: camera[{seen[camera.id]}] has that id already")
        seen.setdefault(camera.id, index)
        if camera.keys.source == "stdin:":
            if stdin is not None:
                file.refuse(f"camera[{index}].source", f"= stdin:: camera[{stdin}] reads standard input already")
            stdin = index
