"""The variables of the environment that say which service is asked, and about what."""

from __future__ import annotations

__all__ = [
    "IAM_VARIABLES",
    "PROJECT_NAME_VARIABLES",
    "PROJECT_VARIABLES",
    "REGION_VARIABLES",
]

# Our own name first, then those that the ecosystem already uses.
REGION_VARIABLES = ("PRECHECK_GATE_REGION", "HW_REGION_NAME", "OS_REGION_NAME")
PROJECT_VARIABLES = (
    "PRECHECK_GATE_PROJECT_ID",
    "HUAWEICLOUD_SDK_PROJECT_ID",
    "HW_PROJECT_ID",
    "OS_PROJECT_ID",
)
# A project by its name, whose ID IAM knows.
PROJECT_NAME_VARIABLES = ("HW_PROJECT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME")
IAM_VARIABLES = (
    "PRECHECK_GATE_IAM_ENDPOINT",
    "HUAWEICLOUD_SDK_IAM_ENDPOINT",
    "HW_AUTH_URL",
    "OS_AUTH_URL",
)
