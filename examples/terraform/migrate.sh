#!/bin/sh
# Creates the tasks, runs the gate, and starts the tasks that may start.
#
# Requirements: the credentials of the provider (HW_ACCESS_KEY, HW_SECRET_KEY), which the gate uses
# too, and PRECHECK_GATE_PROJECT_ID. If the gate does not pass, the script ends before the start.
set -eu
cd "$(dirname "$0")"

terraform -chdir=tasks init -input=false
terraform -chdir=tasks apply -input=false -auto-approve
terraform -chdir=tasks output -json >outputs.json

rm -f gate.env
code=0
precheck-gate run \
  --tasks-from outputs.json \
  --region "$(terraform -chdir=tasks output -raw region)" \
  --policy "${POLICY:-policy.yaml}" \
  --warn-exit-code 10 \
  --junit junit.xml \
  --report json=report.json \
  --report dotenv=gate.env || code=$?
case $code in
  0 | 10) ;;
  *) exit "$code" ;;
esac

ready=$(sed -n 's/^PRECHECK_GATE_READY_TASKS=//p' gate.env)
terraform -chdir=start init -input=false
terraform -chdir=start apply -input=false -auto-approve -var "ready_tasks=$ready"
