"""The policy: what each item means for the gate, and which line of which file says so.

What loads files is imported when it is first asked for: judging needs no parser.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.composition import for_task
from precheck_gate.policy.evaluation import Ruling, Subject, decide, rule_on
from precheck_gate.policy.model import Decision, Match, Origin, Policy, Rule, Waiver

if TYPE_CHECKING:
    from precheck_gate.policy.loading import (
        BUILTIN_DEFAULT,
        PRESETS,
        PolicyOptions,
        builtin_policy,
        load_policy,
        parse_policy,
    )

__all__ = [
    "BUILTIN_DEFAULT",
    "PRESETS",
    "Decision",
    "Effect",
    "Match",
    "Origin",
    "Policy",
    "PolicyOptions",
    "Rule",
    "Ruling",
    "Subject",
    "Waiver",
    "builtin_policy",
    "decide",
    "for_task",
    "load_policy",
    "parse_policy",
    "rule_on",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("precheck_gate.policy.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
