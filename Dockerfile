# precheck-gate as a container: slim, not root, and content with a root that is read-only.
#
#   docker build --tag precheck-gate .
#   docker run --rm --read-only --tmpfs /tmp --volume "$PWD:/gate" --env PRECHECK_GATE_TOKEN \
#     precheck-gate run --tasks-from tasks.txt --policy policy.yaml --region eu-west-101
FROM python:3.13-slim AS build

WORKDIR /src
COPY integrations/github/requirements.txt integrations/github/
RUN python -m venv /opt/precheck-gate \
    && /opt/precheck-gate/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement integrations/github/requirements.txt

COPY pyproject.toml README.md LICENSE ./
COPY precheck_gate precheck_gate
RUN /opt/precheck-gate/bin/pip install --no-cache-dir --disable-pip-version-check \
        --no-deps --no-build-isolation . \
    && /opt/precheck-gate/bin/pip uninstall --quiet --yes \
        hatchling packaging pathspec pluggy trove-classifiers pip \
    && /opt/precheck-gate/bin/precheck-gate --version

FROM python:3.13-slim

LABEL org.opencontainers.image.title="precheck-gate" \
    org.opencontainers.image.description="Keeps a migration from starting before its pre-check has passed." \
    org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /opt/precheck-gate /opt/precheck-gate

ENV PATH="/opt/precheck-gate/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# No name is needed; with --user of your own, reports in /gate belong to you.
USER 65532:65532
WORKDIR /gate

HEALTHCHECK --interval=60s --timeout=5s CMD ["precheck-gate", "--version"]
ENTRYPOINT ["precheck-gate"]
# Without arguments it prints its help and ends in 2: arguments that were lost are no pass.
CMD []
