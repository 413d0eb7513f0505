"""What all kinds of credentials share: how one is declared, found, used and renewed."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from precheck_gate.errors import ServiceError, TimeOver, reason_of
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from requests import PreparedRequest

    from precheck_gate.drs.auth.iam import Iam, Issued
    from precheck_gate.drs.http.messages import Send
    from precheck_gate.runtime.process import Clock

MAX_FILE_BYTES = 64 * 1024
# An issued token is renewed this long before its end, or when a tenth of its lifetime is left,
# whichever is later.
_MARGIN_SECONDS = 300.0
_RETRY_SECONDS = 30.0


class Option(NamedTuple):
    """A command-line option of a kind of credential; its value is never a secret.

    Attributes:
        name: such as ``--token-file``.
        file: what the file is called, such as ``token file``, if the value is a path.
        variables: environment variables for the value; only ``PRECHECK_GATE_…`` if empty.
        names_credential: whether the option alone names the credential, so that variables that
            are set but empty do not matter.
        names_variable: whether the value is the name of a variable that holds a secret.
    """

    name: str
    metavar: str
    help: str
    file: str = ""
    variables: tuple[str, ...] = ()
    names_credential: bool = False
    names_variable: bool = False

    @property
    def key(self) -> str:
        """The option's key in a mapping of option values."""
        return self.name.removeprefix("--").replace("-", "_")

    @property
    def own_variable(self) -> str:
        """The ``PRECHECK_GATE_…`` variable for the value."""
        return f"PRECHECK_GATE_{self.key.upper()}"


class Variables(NamedTuple):
    """Environment variables that together hold one credential."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


class Environment:
    """Environment variables, stripped. The ``repr`` shows none of their values.

    Args:
        variables: such as ``os.environ``.
        home: the user's home folder; None if unknown.
    """

    def __init__(self, variables: Mapping[str, str], home: Path | None = None) -> None:
        self._variables = variables
        self.home = home

    def __repr__(self) -> str:
        return "Environment(...)"

    def has(self, *names: str) -> bool:
        """Return whether all of the variables are set and not blank."""
        return all(self._variables.get(name, "").strip() for name in names)

    def first(self, names: Iterable[str]) -> str:
        """Return the name of the first variable that is set and not blank, or ""."""
        return next((name for name in names if self.has(name)), "")

    def get(self, *names: str) -> str:
        """Return the value of the first variable that is set and not blank, or ""."""
        name = self.first(names)
        return self._variables[name].strip() if name else ""

    def secret(self, name: str) -> Secret:
        """Return the value of a variable that holds a secret."""
        return Secret(self._variables.get(name, "").strip())

    @classmethod
    def of_process(cls) -> Environment:
        """Return the environment of this process."""
        try:
            home = Path.home()
        except RuntimeError:
            home = None
        return cls(os.environ, home)


class Rank(IntEnum):
    """How explicitly a credential was named; the lowest rank is used."""

    NAMED = 0
    """An option names the credential."""
    PART_NAMED = 1
    """An option names a part of the credential, such as an ID token."""
    FOUND = 2
    """The credential is in the environment or in a default file."""


class Place(NamedTuple):
    """A place that has a credential.

    Attributes:
        source: the place, by name and never by value.
        take: checks the credential and returns it; called only if this place is chosen.
        project_id: the project that the place names; "" if none.
        iam_endpoint: the IAM endpoint that the place names; "" if none.
        warning: what users need to know if this place is chosen.
    """

    kind: type[Credential]
    source: str
    take: Callable[[], Credential]
    rank: Rank = Rank.FOUND
    project_id: str = ""
    iam_endpoint: str = ""
    warning: str = ""


class Found(NamedTuple):
    """The credential to use, and where it was found."""

    credential: Credential
    source: str
    project_id: str = ""
    iam_endpoint: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The credential and its source, such as ``token from OS_TOKEN``."""
        return f"{self.credential.label} from {self.source}"


class AuthContext:
    """What a credential needs while it is used.

    Args:
        project_id: "" until it is known.
        project_name: finds the project if its ID is not known.
    """

    def __init__(
        self, clock: Clock, send: Send, iam: Iam, project_id: str, project_name: str
    ) -> None:
        self.clock = clock
        self.send = send
        self.iam = iam
        self.project_id = project_id
        self.project_name = project_name

    @property
    def scope(self) -> dict[str, str]:
        """The project as IAM expects it: by ID, or by name if the ID is not known."""
        return {"id": self.project_id} if self.project_id else {"name": self.project_name}

    def left(self, end: float) -> float:
        """Return how many seconds are left until ``end`` on the monotonic clock.

        Raises:
            TimeOver: none are left.
        """
        left = end - self.clock.monotonic()
        if left <= 0:
            raise TimeOver("The time for a request ran out while the credential was renewed.")
        return left


class Credential(ABC):
    """A credential of one kind. Subclasses declare the kind; instances hold the secrets.

    Attributes:
        auth: the value of ``--auth`` that selects this kind.
        label: what a credential is called.
        lookup: where this kind is looked for without an option, for help and messages.
        missing: what to do if no credential was found.
        holder: whose permissions apply.
        advice: what to do if the service does not accept the credential.
        options: the options of this kind.
        variables: the sets of environment variables that can hold such a credential. If a
            ``PRECHECK_GATE_…`` variable among them is empty, the run is refused.
        public: those of the variables that hold no secret; the values of all others are masked.
        needs_iam: whether IAM has to issue a token.
    """

    auth: ClassVar[str]
    label: str
    lookup: ClassVar[str]
    missing: ClassVar[str]
    holder: ClassVar[str]
    advice: str
    options: ClassVar[tuple[Option, ...]] = ()
    variables: ClassVar[tuple[Variables, ...]] = ()
    public: ClassVar[tuple[str, ...]] = ()
    needs_iam: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        """Yield the places that have a credential of this kind, the preferred one first."""

    @classmethod
    def files(
        cls, options: Mapping[str, Any], environment: Environment
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files that may be read for a credential of this kind, each with its name."""
        del environment
        for option in cls.options:
            if option.file and (path := options.get(option.key)) is not None:
                yield f"the {option.file}", path

    @abstractmethod
    def sign(self, request: PreparedRequest, context: AuthContext) -> None:
        """Put the credential on a request."""

    def ready(self, context: AuthContext, seconds: float) -> None:  # noqa: B027  # seldom needed
        """Obtain or renew the credential, if that is needed.

        Raises:
            ServiceError: it cannot be obtained; `TransientFault` if that may pass.
        """

    def renew(self, context: AuthContext, seconds: float) -> bool:  # noqa: ARG002
        """Obtain the credential anew after a 401; return False if that is not possible."""
        return False


def in_variables(
    kind: type[Credential],
    environment: Environment,
    read: Callable[[Environment, Variables], Credential],
) -> Iterator[Place]:
    """Yield a place for each complete set of variables of a kind; ``read`` reads one."""
    for names in kind.variables:
        if environment.has(*names.required):
            yield Place(kind, " and ".join(names.required), partial(read, environment, names))


class IssuedCredential(Credential):
    """A credential for which IAM issues a token. Safe to use from several threads.

    The end of the token is computed from the lifetime that IAM reports, on the monotonic clock:
    with a wrong system clock, the gate still renews the token neither each time nor too late.
    """

    needs_iam = True
    advice = (
        "IAM has just issued this token. Check that --endpoint and --iam-endpoint are in the same "
        "cloud and region."
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token = Secret("")
        self._renew_at = float("-inf")
        self._end = float("-inf")

    @abstractmethod
    def fetch(self, context: AuthContext, seconds: float) -> Issued:
        """Have IAM issue a token."""

    def sign(self, request: PreparedRequest, context: AuthContext) -> None:  # noqa: ARG002
        """Put the current token on a request."""
        request.headers["X-Auth-Token"] = self._token.reveal()

    def ready(self, context: AuthContext, seconds: float) -> None:
        """Obtain the first token, or a new one if it ends soon."""
        with self._lock:
            now = context.clock.monotonic()
            if self._token and now < self._renew_at:
                return
            try:
                self._obtain(context, seconds)
            except ServiceError:
                # The old token is still valid for a while, so a fault of IAM may pass unnoticed.
                if not self._token or now >= self._end:
                    raise
                self._renew_at = min(self._end, now + _RETRY_SECONDS)

    def renew(self, context: AuthContext, seconds: float) -> bool:
        """Obtain a new token."""
        with self._lock:
            self._obtain(context, seconds)
        return True

    def _obtain(self, context: AuthContext, seconds: float) -> None:
        issued = self.fetch(context, seconds)
        lifetime = float("inf") if issued.lifetime is None else issued.lifetime
        self._token = issued.token
        self._end = context.clock.monotonic() + lifetime
        self._renew_at = self._end - min(_MARGIN_SECONDS, lifetime / 10)


def read_secret(path: Path) -> tuple[Secret, str]:
    """Return the content of a file, and why it could not be read, "" if it was.

    Raises nothing: a decoding error would hold the content.
    """
    try:
        return Secret(read_file(path, MAX_FILE_BYTES).decode("utf-8-sig").strip()), ""
    except UnicodeDecodeError:
        return Secret(""), "is not text"
    except OSError as error:
        return Secret(""), f"cannot be read: {reason_of(error)}"


def is_word(text: str) -> bool:
    """Return whether a text is safe in a header: printable ASCII without spaces."""
    return text.isascii() and text.isprintable() and " " not in text
