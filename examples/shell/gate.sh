#!/bin/sh
# The gate in any shell: cron, a bastion host, a CI system that is not named here.
#
#   PRECHECK_GATE_TOKEN=... PRECHECK_GATE_REGION=... PRECHECK_GATE_PROJECT_ID=... ./gate.sh
#
# It ends with 0 only if the migration may start. Settings come from the environment; the files
# tasks.txt and policy.yaml lie in the working directory.
set -u

reports=${REPORTS:-precheck-gate-reports}
mkdir -p "$reports" || exit 5

code=0
precheck-gate run \
  --tasks-from "${TASKS_FROM:-tasks.txt}" \
  --policy "${POLICY:-policy.yaml}" \
  --warn-exit-code 10 \
  --junit "$reports/junit.xml" \
  --report "json=$reports/report.json" \
  --report "html=$reports/report.html" || code=$?

case $code in
  0) echo 'The migration may start.' ;;
  10) echo 'The migration may start; read the warnings first.' ;;
  1) echo 'The migration must not start: see what blocks above.' >&2 ;;
  3) echo 'The pre-checks did not end in time: run the gate again.' >&2 ;;
  *) echo "The gate could not judge; it ended with $code." >&2 ;;
esac

case $code in
  0 | 10) exit 0 ;;
  *) exit "$code" ;;
esac
