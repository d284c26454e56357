"""Which cameras are meant: globs, of which those that begin with "!" exclude."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from streams.contract.errors import SettingError


@dataclass(frozen=True, slots=True)
class CameraGlobs:
    """`("gate-*", "!gate-9")`: all gates but the ninth. No glob, or only excluding ones: all the others."""

    globs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for glob in self.globs:
            if not glob.removeprefix("!"):
                raise SettingError(f"camera {glob!r}: expected a camera's id or a glob such as gate-* or !gate-9")

    @classmethod
    def of(cls, globs: Sequence[str] | None) -> "CameraGlobs":
        """From what a caller gives; a single text would be taken for its characters, so it is refused."""
        if isinstance(globs, str):
            raise SettingError(f"cameras {globs!r}: expected a list, such as [{globs!r}]")
        return cls(tuple(globs or ()))

    def match(self, camera_id: str) -> bool:
        """Whether this camera is meant."""
        if not self.globs:
            return True
        included = [glob for glob in self.globs if not glob.startswith("!")]
        excluded = [glob[1:] for glob in self.globs if glob.startswith("!")]
        if any(fnmatchcase(camera_id, glob) for glob in excluded):
            return False
        return not included or any(fnmatchcase(camera_id, glob) for glob in included)
