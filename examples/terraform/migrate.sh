#!/bin/sh
# Creates the tasks, lets the gate judge their pre-checks, and starts those that may start.
#
# Needs: the provider's credentials (HW_ACCESS_KEY, HW_SECRET_KEY), which the gate takes too, and
# PRECHECK_GATE_PROJECT_ID. Whatever the gate does not let pass ends this script before the start.
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
