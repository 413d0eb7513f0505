"""The shared file of credentials, ``~/.huaweicloud/credentials``, which the official SDKs read."""

from __future__ import annotations

import configparser
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.errors import UsageError, reason_of
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.pasted_secrets import quoted, told
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from precheck_gate.drs.auth.environment import Environment

__all__ = ["DEFAULT_PROFILE", "FILE_VARIABLE", "Profile", "file_warning", "profile_path",
           "profiles_in", "read_profile"]  # fmt: skip

FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
DEFAULT_PROFILE = "basic"
_NAME = re.compile(r"[\w.@-]{1,60}", re.ASCII)
_MOST_TOLD = 10
_MAX_BYTES = 64 * 1024
_HINT = (
    "It is an INI file such as: [basic], and below it the lines ak = …, sk = …, and where "
    "needed security_token = …, project_id = …"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One section of the file; what it lacks is empty."""

    access_key: Secret
    secret_key: Secret
    security_token: Secret
    project_id: str
    iam_endpoint: str
    idp_id: str
    id_token_file: str


@dataclass(slots=True)
class _Content:
    """The file's sections, or what is wrong with it."""

    sections: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    complaint: str = ""


def profile_path(environment: Environment) -> Path | None:
    """Return where the file is, whether it exists or not; None where there is no place for it."""
    if named := environment.get(FILE_VARIABLE):
        return Path(named)
    return environment.home and environment.home / ".huaweicloud" / "credentials"


def profiles_in(path: Path | None) -> tuple[str, ...]:
    """Return the names of the profiles in a file; none where it cannot be read."""
    return tuple(_read(path).sections) if path is not None and path.is_file() else ()


def read_profile(path: Path, name: str) -> Profile:
    """Return a profile of the file.

    Raises:
        UsageError: the file cannot be used, or has no such profile.
    """
    content = _read(path)
    if content.complaint:
        raise UsageError(f"The credentials file {told(path)} {content.complaint}.", hint=_HINT)
    if name not in content.sections:
        known = _names(list(content.sections))
        raise UsageError(
            f"The credentials file {told(path)} has no profile {quoted(name)}.",
            hint=f"It has: {known}. --profile-name chooses.",
        )
    return _profile(content, name)


def _names(sections: list[str]) -> str:
    """Return the names of profiles; what can be none is content of a file of another kind."""
    return _few([name for name in sections if _NAME.fullmatch(name)]) or "none"


def _few(texts: list[str]) -> str:
    """Return the first of some texts, and how many more there are."""
    more = len(texts) - _MOST_TOLD
    return ", ".join(texts[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def file_warning(path: Path) -> str:
    """Return what to say of a file that others can read; "" where only its owner can."""
    if os.name != "posix":
        return ""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if not mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        return ""
    return (
        f"the credentials file {path} is open to others on this machine "
        f"(mode {stat.S_IMODE(mode):04o}): chmod 600 {path}"
    )


def _profile(content: _Content, name: str) -> Profile:
    values = content.sections[name]

    def text(key: str) -> str:
        return values.get(key, "").strip()

    return Profile(
        access_key=Secret(text("ak")),
        secret_key=Secret(text("sk")),
        security_token=Secret(text("security_token")),
        project_id=text("project_id"),
        iam_endpoint=text("iam_endpoint"),
        idp_id=text("idp_id"),
        id_token_file=text("id_token_file"),
    )


def _read(path: Path) -> _Content:
    """Read the file; no error of a parser gets out, since those quote lines."""
    try:
        text = read_file(path, _MAX_BYTES, keep=True).decode("utf-8-sig")
    except UnicodeDecodeError:
        return _Content(complaint="is not text")
    except OSError as error:
        return _Content(complaint=f"cannot be read: {reason_of(error)}")
    # Without interpolation: a secret may have a percent sign in it.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        return _Content(complaint=f"has something before its first [section], line {error.lineno}")
    except configparser.ParsingError as error:
        lines = _few([str(line) for line, _ in error.errors])
        return _Content(complaint=f"has lines that are no 'key = value': {lines}")
    except configparser.DuplicateSectionError as error:
        return _Content(complaint=f"has a section twice, line {error.lineno}")
    except configparser.DuplicateOptionError as error:
        return _Content(complaint=f"has a key twice, line {error.lineno}")
    except configparser.Error as error:
        return _Content(complaint=f"is no INI file ({type(error).__name__})")
    return _Content({name: dict(parser.items(name)) for name in parser.sections()})
