"""precheck-gate: stands between the pre-check of Huawei Cloud DRS and the migration."""

__version__ = "0.1.0"
