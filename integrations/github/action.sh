#!/usr/bin/env bash
# The steps of the GitHub action.
#
#   action.sh install   puts precheck-gate into a private virtual environment; knows no credential
#   action.sh gate      runs the gate there and hands its verdict to the next steps
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_folder=$(cd "$here/../.." && pwd)
venv="${RUNNER_TEMP:?is set by the runner}/precheck-gate-venv"

# The gate never ran: the code for "nothing was asked of the service".
refuse() {
  printf '::error title=precheck-gate::%s\n' "$1"
  exit 2
}

is_new_enough() {
  "$@" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  if is_new_enough python3; then
    python=(python3)
  elif is_new_enough python; then
    python=(python)
  elif is_new_enough py -3; then
    python=(py -3)
  else
    refuse 'No Python 3.11 or newer on this runner. Add a step with actions/setup-python before.'
  fi
}

find_venv_python() {
  venv_python="$venv/bin/python"
  if [ ! -x "$venv_python" ]; then
    venv_python="$venv/Scripts/python.exe"
  fi
}

install() {
  # No installer needs to know a credential, or may load modules from the workspace.
  unset PRECHECK_GATE_TOKEN HW_AUTH_TOKEN OS_TOKEN PYTHONPATH PYTHONHOME
  find_python
  "${python[@]}" -I -m venv --clear "$venv" ||
    refuse 'This Python makes no virtual environments. On Debian, install python3-venv.'
  find_venv_python
  local pip=("$venv_python" -I -m pip install --quiet --disable-pip-version-check --no-input)
  "${pip[@]}" --require-hashes --requirement "$here/requirements.txt" ||
    refuse 'The packages that precheck-gate needs could not be installed.'
  "${pip[@]}" --no-deps --no-build-isolation "$source_folder" ||
    refuse 'precheck-gate could not be installed.'
  "$venv_python" -I -m precheck_gate --version
}

gate() {
  find_venv_python
  exec "$venv_python" -I -X utf8 "$here/action.py"
}

case "${1:-}" in
  install) install ;;
  gate) gate ;;
  *) refuse "action.sh wants 'install' or 'gate'." ;;
esac
