"""The policy: what each item means for the gate, and which line of which file says so."""

from precheck_gate.policy.evaluation import Subject, decide
from precheck_gate.policy.loading import BUILTIN_DEFAULT, builtin_policy, load_policy
from precheck_gate.policy.model import Decision, Effect, Match, Origin, Policy, Rule

__all__ = [
    "BUILTIN_DEFAULT",
    "Decision",
    "Effect",
    "Match",
    "Origin",
    "Policy",
    "Rule",
    "Subject",
    "builtin_policy",
    "decide",
    "load_policy",
]
