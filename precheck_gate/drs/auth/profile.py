"""The shared credentials file, ``~/.huaweicloud/credentials``, which the official SDKs read too."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.drs.auth.access_key import AccessKey
from precheck_gate.drs.auth.credential import (
    MAX_FILE_BYTES,
    Credential,
    Environment,
    Option,
    Place,
    Rank,
)
from precheck_gate.drs.auth.id_token import CiIdentity, id_token_in_file
from precheck_gate.errors import UsageError, reason_of
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.pasted_secrets import quoted, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
_DEFAULT_PROFILE = "basic"
_NAME = re.compile(r"[\w.@-]{1,60}", re.ASCII)
_MAX_SHOWN = 10
_HINT = (
    "It is an INI file: a line [basic], then the lines ak = … and sk = …, and if needed "
    "security_token = … and project_id = …"
)


class SharedFile(Credential):
    """A profile of the shared file, which has an access key or names an ID token.

    This kind only finds; what it finds is an `AccessKey` or a `CiIdentity`.
    """

    auth = "profile"
    label = "credential"
    lookup = f"the profile {_DEFAULT_PROFILE} of the shared credentials file"
    missing = _HINT
    options = (
        Option(
            "--profile-name",
            "NAME",
            f"Use this profile of ~/.huaweicloud/credentials (or of {_FILE_VARIABLE}).",
            names_credential=True,
        ),
    )

    @classmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        """Yield the profile that an option names, or the default profile if there is one."""
        named = options.get("profile_name")
        wanted = named or options.get("auth") == cls.auth
        path = _path(environment)
        if not wanted and not (path and os.path.isfile(path)):  # noqa: PTH113  # raises nothing
            return
        name = named or _DEFAULT_PROFILE
        file = _read(path)
        profile = file.profiles.get(name)
        if profile is None and not wanted:
            return
        yield Place(
            cls,
            f"profile {safe_name(name)}{f' of {safe_name(path)}' if path else ''}",
            lambda: _credential(file, name),
            Rank.NAMED if named else Rank.FOUND,
            project_id=profile.get("project_id") if profile else "",
            iam_endpoint=profile.get("iam_endpoint") if profile else "",
            warning=_warning(path) if path else "",
        )

    @classmethod
    def files(
        cls, options: Mapping[str, Any], environment: Environment
    ) -> Iterator[tuple[str, Path]]:
        """Yield the shared file."""
        del options
        if (path := _path(environment)) is not None:
            yield "the credentials file", path


class _File:
    """The profiles of the file, which are read like variables, or what is wrong with it."""

    def __init__(
        self, path: Path | None, profiles: dict[str, Environment], complaint: str = ""
    ) -> None:
        self.path = path
        self.profiles = profiles
        self.complaint = complaint


def _path(environment: Environment) -> Path | None:
    """Return where the file is, whether it exists or not; None without a home folder."""
    if named := environment.get(_FILE_VARIABLE):
        return Path(named)
    return environment.home and environment.home / ".huaweicloud" / "credentials"


def _credential(file: _File, name: str) -> Credential:
    if file.path is None:
        raise UsageError(
            "The credentials file was not found: there is no home folder.",
            hint=f"Set {_FILE_VARIABLE} to the path of the file.",
        )
    if file.complaint:
        raise UsageError(
            f"The credentials file {safe_name(file.path)} {file.complaint}.", hint=_HINT
        )
    profile = file.profiles.get(name)
    if profile is None:
        # A section that cannot be a profile is the content of another kind of file.
        known = _some([one for one in file.profiles if _NAME.fullmatch(one)]) or "none"
        raise UsageError(
            f"The credentials file {safe_name(file.path)} has no profile {quoted(name)}.",
            hint=f"Choose one with --profile-name. Profiles in the file: {known}.",
        )
    if profile.has("idp_id", "id_token_file"):
        file_of_token = id_token_in_file(Path(profile.get("id_token_file")))
        return CiIdentity(profile.get("idp_id"), file_of_token)
    source = f"profile {safe_name(name)} of {safe_name(file.path)}"
    if not profile.has("ak", "sk"):
        raise UsageError(
            f"The {source} has no credential in it.",
            hint="It needs ak and sk, or idp_id and id_token_file.",
        )
    token = profile.secret("security_token") if profile.has("security_token") else None
    return AccessKey(profile.secret("ak"), profile.secret("sk"), token, source)


def _some(texts: list[str]) -> str:
    """Return the first of some texts, and how many more there are."""
    more = len(texts) - _MAX_SHOWN
    return ", ".join(texts[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _warning(path: Path) -> str:
    """Return a warning if others can read or change the file, else ""."""
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


def _read(path: Path | None) -> _File:
    """Read the file. Raises nothing: a parser's error would quote lines of it."""
    import configparser

    if path is None:
        return _File(None, {})
    # Without interpolation: a secret may contain a percent sign.
    parser = configparser.ConfigParser(interpolation=None)
    complaint = ""
    try:
        parser.read_string(read_file(path, MAX_FILE_BYTES).decode("utf-8-sig"))
    except UnicodeDecodeError:
        complaint = "is not text"
    except OSError as error:
        complaint = f"cannot be read: {reason_of(error)}"
    except configparser.MissingSectionHeaderError as error:
        complaint = f"has something before its first [section], line {error.lineno}"
    except configparser.ParsingError as error:
        lines = _some([str(line) for line, _ in error.errors])
        complaint = f"has lines that are not 'key = value': {lines}"
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        what = "section" if isinstance(error, configparser.DuplicateSectionError) else "key"
        complaint = f"has a {what} twice, line {error.lineno}"
    except configparser.Error as error:
        complaint = f"is not an INI file ({type(error).__name__})"
    if complaint:
        return _File(path, {}, complaint)
    return _File(path, {name: Environment(dict(parser.items(name))) for name in parser.sections()})
