"""CI systems: what the gate says to each of them. Nothing else knows a variable of theirs.

No credential is ever told to a runner, not even to be masked: whether the streams of the process
lead to the runner, or to a file or a program beside it, cannot be known. A runner masks the secrets
that it handed out itself, and what the gate obtains meanwhile is printed nowhere.
"""

from precheck_gate.ci.base import SYSTEMS, CiSystem, CiWorld, Written, detect, load_system

__all__ = ["SYSTEMS", "CiSystem", "CiWorld", "Written", "detect", "load_system"]
