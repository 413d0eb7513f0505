"""An IAM user with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.drs.auth.credential import IssuedCredential, Variables, in_variables
from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precheck_gate.drs.auth.credential import AuthContext, Environment, Place
    from precheck_gate.drs.auth.iam import Issued
    from precheck_gate.safetext.secrets import Secret


class IamUser(IssuedCredential):
    """An IAM user, for whom IAM issues tokens.

    Args:
        domain: the name of the account.
    """

    auth = "user"
    label = "IAM user"
    lookup = "an IAM user in the environment"
    missing = "Set HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME."
    holder = "The IAM user"
    # The domain is required as well; without it the user is refused, not left out.
    variables = (
        Variables(
            ("PRECHECK_GATE_USER_NAME", "PRECHECK_GATE_PASSWORD"), ("PRECHECK_GATE_DOMAIN_NAME",)
        ),
        Variables(("HW_USER_NAME", "HW_USER_PASSWORD"), ("HW_DOMAIN_NAME",)),
        Variables(("OS_USERNAME", "OS_PASSWORD"), ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME")),
    )
    public = tuple(name for names in variables for name in (names.required[0], *names.optional))

    def __init__(self, name: str, password: Secret, domain: str) -> None:
        super().__init__()
        self._name = name
        self._password = password
        self._domain = domain

    @classmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        """Yield the sets of variables that are complete."""
        del options
        yield from in_variables(cls, environment, cls.of_variables)

    @classmethod
    def of_variables(cls, environment: Environment, names: Variables) -> IamUser:
        """Return the user in a set of variables."""
        name, password = names.required
        domain = environment.get(*names.optional)
        if not domain:
            raise UsageError(
                f"{name} and {password} are set, but no domain name.",
                hint=f"Set {' or '.join(names.optional)} to the name of the account.",
            )
        return cls(environment.get(name), environment.secret(password), domain)

    def fetch(self, context: AuthContext, seconds: float) -> Issued:
        """Have IAM issue a token for the password."""
        return context.iam.issue("/v3/auth/tokens", self._identity, context.scope, _hint, seconds)

    def _identity(self) -> dict[str, object]:
        user = {
            "name": self._name,
            "password": self._password.reveal(),
            "domain": {"name": self._domain},
        }
        return {"identity": {"methods": ["password"], "password": {"user": user}}}


def _hint(message: str) -> str:
    """Return what to do when IAM refuses a user, by its words: no error code is documented."""
    words = message.lower()
    if any(word in words for word in ("mfa", "multi-factor", "verification code", "totp")):
        return (
            "The user must log in with a second factor, which a pipeline does not have: "
            "use a user with programmatic access only, an access key or the CI's identity."
        )
    if any(word in words for word in ("disabled", "locked", "suspended", "frozen")):
        return "Have an administrator enable the user in IAM."
    return (
        "Check the user's name, password and domain (the account's name). IAM locks a user "
        "for a while after several wrong passwords."
    )
