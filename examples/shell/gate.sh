#!/bin/sh
# Runs the gate in any POSIX shell, such as for cron, a bastion host or another CI system.
#
#   PRECHECK_GATE_TOKEN=... PRECHECK_GATE_REGION=... PRECHECK_GATE_PROJECT_ID=... ./gate.sh
#
# Exits with 0 only if the migration may start. The settings come from the environment. The files
# tasks.txt and policy.yaml must be in the working directory.
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
  10) echo 'The migration may start. Read the warnings first.' ;;
  1) echo 'The migration must not start. See above what blocks.' >&2 ;;
  3) echo 'The pre-checks did not finish in time. Run the gate again.' >&2 ;;
  *) echo "The gate could not judge the pre-checks. Exit code: $code." >&2 ;;
esac

case $code in
  0 | 10) exit 0 ;;
  *) exit "$code" ;;
esac
