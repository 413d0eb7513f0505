"""CI systems: what the gate says to each of them. Nothing else knows a variable of theirs.

No credential is ever printed for a runner, not even to be masked: the process cannot know whether
its streams lead to the runner, to a file, or to another program. A runner masks the secrets
that it handed out itself, and what the gate obtains meanwhile is printed nowhere.
"""

from precheck_gate.ci.base import SYSTEMS, CiSystem, CiWorld, Written, detect, load_system

__all__ = ["SYSTEMS", "CiSystem", "CiWorld", "Written", "detect", "load_system"]
