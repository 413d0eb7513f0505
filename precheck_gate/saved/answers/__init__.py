"""Saved answers: written while polling, for audit; read back to be judged without the service.

A folder holds the body of each answer as it came (``0001.json``, or ``0002.http-400.txt`` for what
was no answer) and ``index.jsonl``: a line for each answer, and for the beginning and the end of
the run. The end tells for each task what the run made of it: upon which answer the verdict rests,
and what speaks against that, which may have been no answer at all.
"""

from precheck_gate.saved.answers.reading import SavedAnswers
from precheck_gate.saved.archive import AnswerArchive, KeptResults
from precheck_gate.saved.run_file import INDEX, is_archived

__all__ = ["INDEX", "AnswerArchive", "KeptResults", "SavedAnswers", "is_archived"]
