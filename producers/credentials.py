"""A camera's address with its user and password, which a file of cameras names by reference: never by value."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from streams.contract.errors import SourceError
from streams.contract.redact import redact

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+-]*:", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a camera is, and where its secrets are; they are read each time it is opened, as they may be changed.

    source: the address itself, or source_env, source_file: the variable or file that holds it. The same for username
    and password, where the address holds neither. folder: what files are relative to, videos and images included.
    """

    source: str = field(default="", repr=False)
    source_env: str = ""
    source_file: str = ""
    username: str = ""
    username_env: str = ""
    username_file: str = ""
    password_env: str = ""
    password_file: str = ""
    folder: Path = Path()

    @property
    def name(self) -> str:
        """How it is shown: without secrets."""
        return redact(self.source) if self.source else f"by {'source_env' if self.source_env else 'source_file'}"

    def resolve(self, environ: Mapping[str, str] = os.environ) -> str:
        """The whole address, secrets and all. Raises SourceError, which names what is missing and shows no secret."""
        source = self.source or self._read("source", self.source_env, self.source_file, environ)
        username = self.username or self._read("username", self.username_env, self.username_file, environ)
        password = self._read("password", self.password_env, self.password_file, environ)
        if not username and not password:
            return source if _SCHEME.match(source) else str(self.folder / source)
        scheme, slashes, rest = source.partition("://")
        if not slashes:
            raise SourceError(f"source {self.name!r}: a user and a password are for addresses such as rtsp://...")
        if "@" in rest.partition("/")[0]:
            raise SourceError(f"source {self.name!r}: it holds a user already; give it one way or the other")
        return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"

    def _read(self, what: str, variable: str, file: str, environ: Mapping[str, str]) -> str:
        if variable:
            if variable not in environ:
                # Some write the secret itself there.
                name = repr(variable) if _VARIABLE.fullmatch(variable) else "of that name"
                raise SourceError(f"{what}_env: the environment has no variable {name}")
            return environ[variable].strip()
        if not file:
            return ""
        try:
            return (self.folder / file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            # ValueError: also for a name with a zero in it.
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            # Some write the secret itself here, too.
            looks_like_one = ("/" in file or "." in file) and "@" not in file and "://" not in file
            shown = self.folder / file if looks_like_one else "the file that is named there"
            raise SourceError(f"{what}_file: cannot read {shown}: {reason}") from None
