"""One evaluation for each way a run can end."""

from __future__ import annotations

from tests.support.evaluating import outcome, outcome_of

__all__ = ["outcome", "outcome_of"]
