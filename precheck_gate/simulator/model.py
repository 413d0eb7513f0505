"""The simulated service as a value: its tasks, its faults, and whom it knows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precheck_gate.simulator.faults import Fault
    from precheck_gate.simulator.tasks import SimulatedTask

__all__ = [
    "DEFAULT_PROJECT_ID",
    "AccessKey",
    "IdentityProvider",
    "Scenario",
    "UnknownTask",
    "User",
]

# The project of the documented examples.
DEFAULT_PROJECT_ID = "054ba152d480d55b2f5dc0069e7ddef0"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the simulated IAM; ``domain`` "" is any."""

    name: str
    password: str = field(repr=False)
    domain: str = ""
    disabled: bool = False
    mfa: bool = False
    permitted: bool = True


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key that requests may be signed with; temporary ones come with a security token.

    ``lifetime`` counts from the simulator's start.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    lifetime: float = math.inf
    permitted: bool = True


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Whose ID tokens the simulated IAM takes; ``audience`` "" is any."""

    id: str
    audience: str = ""
    permitted: bool = True


class UnknownTask(Enum):
    """How the simulator answers for a task it does not know."""

    BATCH = "batch"
    NAMELESS = "nameless"
    PLAIN = "plain"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the simulated service knows and does.

    ``token`` and ``project_id`` "" accept any; ``users`` None lets everybody obtain a token;
    ``access_keys`` None takes every signature for its form; ``identity_providers`` None takes every
    ID token; ``region`` "" is any name of the project. ``clock_skew`` is how many seconds the
    service's clock is ahead; ``revocations`` are the moments at which all tokens end; ``apis`` are
    the versions of DRS's API that are offered.
    """

    name: str
    tasks: tuple[SimulatedTask, ...]
    faults: tuple[Fault, ...] = ()
    description: str = ""
    token: str = field(default="", repr=False)
    users: tuple[User, ...] | None = None
    access_keys: tuple[AccessKey, ...] | None = None
    identity_providers: tuple[IdentityProvider, ...] | None = None
    token_lifetime: float = 24 * 3600.0
    revocations: tuple[float, ...] = ()
    clock_skew: float = 0.0
    project_id: str = ""
    region: str = ""
    unknown_task: UnknownTask = UnknownTask.BATCH
    apis: tuple[str, ...] = ("v3", "v5")

    def task(self, task_id: str) -> SimulatedTask | None:
        """Return the task of that ID, spelled exactly so."""
        return next((task for task in self.tasks if task.id == task_id), None)
