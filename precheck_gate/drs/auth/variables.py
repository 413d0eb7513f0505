"""The variables of the environment that credentials are read from."""

from __future__ import annotations

__all__ = [
    "GITHUB_TOKEN",
    "GITHUB_URL",
    "IDP_VARIABLES",
    "ID_TOKEN_FILE_VARIABLES",
    "ID_TOKEN_VARIABLE",
    "KEY_VARIABLES",
    "SECRET_VARIABLES",
    "TOKEN_VARIABLES",
    "USER_VARIABLES",
]

# Our own names first, then those that the ecosystem already uses.
TOKEN_VARIABLES = ("PRECHECK_GATE_TOKEN", "HW_AUTH_TOKEN", "OS_TOKEN")
KEY_VARIABLES = (
    ("PRECHECK_GATE_ACCESS_KEY", "PRECHECK_GATE_SECRET_KEY", "PRECHECK_GATE_SECURITY_TOKEN"),
    ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"),
    ("OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_SECURITY_TOKEN"),
)
USER_VARIABLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("PRECHECK_GATE_USER_NAME", "PRECHECK_GATE_PASSWORD", ("PRECHECK_GATE_DOMAIN_NAME",)),
    ("HW_USER_NAME", "HW_USER_PASSWORD", ("HW_DOMAIN_NAME",)),
    ("OS_USERNAME", "OS_PASSWORD", ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME")),
)
IDP_VARIABLES = ("PRECHECK_GATE_IDP_ID", "HUAWEICLOUD_SDK_IDP_ID")
ID_TOKEN_FILE_VARIABLES = ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "HUAWEICLOUD_OIDC_TOKEN_FILE")
ID_TOKEN_VARIABLE = "HUAWEICLOUD_OIDC_ID_TOKEN"  # noqa: S105  # the name of a variable
GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  # the name of a variable

# All whose values must never be seen, whether they are used or not.
SECRET_VARIABLES = (
    *TOKEN_VARIABLES,
    *(name for names in KEY_VARIABLES for name in names),
    *(password for _, password, _ in USER_VARIABLES),
    ID_TOKEN_VARIABLE,
    GITHUB_TOKEN,
)
