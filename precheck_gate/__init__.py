"""precheck-gate: a CI/CD gate between the pre-check of Huawei Cloud DRS and the migration.

The Python API, loaded on first use: docs/python.md.
"""

from __future__ import annotations

from precheck_gate.runtime.version import __version__ as __version__

__all__ = [
    "ExitCode",
    "Finding",
    "Judgement",
    "Policy",
    "PrecheckGateError",
    "TaskVerdict",
    "UsageError",
    "Verdict",
    "judge",
    "load_policy",
]

# Not from typing: its import takes as long as all the rest of --version.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from precheck_gate.api import Judgement, judge, load_policy
    from precheck_gate.errors import ExitCode, PrecheckGateError, UsageError
    from precheck_gate.model.verdicts import Finding, TaskVerdict, Verdict
    from precheck_gate.policy.model import Policy
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        return getattr(importlib.import_module(f"{__name__}.api"), name)
