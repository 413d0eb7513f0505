"""CI systems: what the gate says to each of them. Nothing else knows a variable of theirs."""

from precheck_gate.ci.base import SYSTEMS, CiSystem, CiWorld, Written, detect, load_system

__all__ = ["SYSTEMS", "CiSystem", "CiWorld", "Written", "detect", "load_system"]
