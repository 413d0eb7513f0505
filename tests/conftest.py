"""Before any test: the tests are the same wherever they run, in a CI system too."""

from __future__ import annotations

import os

# By these the gate tells that a CI system listens; tests of it set them again.
for _name in ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "JENKINS_HOME"):
    os.environ.pop(_name, None)
