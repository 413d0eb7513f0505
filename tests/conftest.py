"""Before any test: the tests are the same wherever they run, in a CI system too."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from precheck_gate.safetext import secrets

if TYPE_CHECKING:
    from collections.abc import Generator

# Helpers assert as tests do: with the values in the message.
pytest.register_assert_rewrite("tests.support")

# By these the gate tells that a CI system listens; tests of it set them again.
for _name in ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "JENKINS_HOME"):
    os.environ.pop(_name, None)

# Where this is set, as in many containers, every process would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell lets what it starts in the background ignore Ctrl-C, and so would the children of tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Children print as they do where people call them: through a buffer, which may fail late.
os.environ.pop("PYTHONUNBUFFERED", None)

# Enough examples to find what is wrong, few enough for a suite that is run often; a test that needs
# more says so itself. No deadline: a busy machine is no fault of the code. In CI the examples are
# the same each time, so that a change is judged by itself.
settings.register_profile("suite", max_examples=40, deadline=None, derandomize="CI" in os.environ)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def knowing_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test hide its own secrets and no others."""
    monkeypatch.setattr(secrets, "_known", secrets.Known())


@pytest.fixture(autouse=True)
def disks_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no report wait for the disk; the processes that tests start do wait for it."""
    monkeypatch.setattr(os, "fsync", os.fstat)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than cores: while a test waits, for a child or a second, another works."""
    return 1 + (yield)
