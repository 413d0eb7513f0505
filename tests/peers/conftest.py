"""A browser, and one evaluation for each way a run can end."""

from __future__ import annotations

from tests.peers.browser import axe, browser, visit
from tests.support.evaluating import outcome, outcome_of

__all__ = ["axe", "browser", "outcome", "outcome_of", "visit"]
