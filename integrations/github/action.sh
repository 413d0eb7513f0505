#!/usr/bin/env bash
# The steps of the GitHub action.
#
#   action.sh find      sets the output "found": whether there is a Python 3.11 or newer
#   action.sh install   installs precheck-gate into a private virtual environment
#   action.sh gate      runs the gate from there
#
# Only the last step has access to credentials.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_folder=$(cd "$here/../.." && pwd)
venv="${RUNNER_TEMP:?is set by the runner}/precheck-gate-venv"

# The gate did not run: exit with the code of a usage error.
refuse() {
  printf '::error title=precheck-gate::%s\n' "$1"
  exit 2
}

is_new_enough() {
  "$@" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  if [ -n "${SET_UP_PYTHON:-}" ] && is_new_enough "$SET_UP_PYTHON"; then
    python=("$SET_UP_PYTHON")
  elif is_new_enough python3; then
    python=(python3)
  elif is_new_enough python; then
    python=(python)
  elif is_new_enough py -3; then
    python=(py -3)
  else
    return 1
  fi
}

find_venv_python() {
  venv_python="$venv/bin/python"
  if [ ! -x "$venv_python" ]; then
    venv_python="$venv/Scripts/python.exe"
  fi
}

report_python() {
  if find_python; then
    printf 'found=true\n' >>"$GITHUB_OUTPUT"
    "${python[@]}" -I --version
  else
    printf 'found=false\n' >>"$GITHUB_OUTPUT"
    echo 'No Python 3.11 or newer was found. The next step sets one up.'
  fi
}

install() {
  # The installers must not see credentials, and must not load modules from the workspace.
  unset "${!PRECHECK_GATE_@}" "${!HUAWEICLOUD_@}" "${!HW_@}" "${!OS_@}" "${!ACTIONS_ID_TOKEN_@}"
  unset PYTHONPATH PYTHONHOME
  find_python || refuse 'No Python 3.11 or newer was found on this runner, and none could be set up.'
  "${python[@]}" -I -m venv --clear "$venv" ||
    refuse 'This Python cannot create virtual environments. On Debian, install python3-venv.'
  find_venv_python
  local pip=("$venv_python" -I -m pip install --quiet --disable-pip-version-check --no-input)
  "${pip[@]}" --require-hashes --requirement "$here/requirements.txt" ||
    refuse 'The dependencies of precheck-gate could not be installed.'
  "${pip[@]}" --no-deps --no-build-isolation "$source_folder" ||
    refuse 'precheck-gate could not be installed.'
  printf '%s, installed in %d s\n' "$("$venv_python" -I -m precheck_gate --version)" "$SECONDS"
}

gate() {
  find_venv_python
  exec "$venv_python" -I -X utf8 "$here/action.py"
}

case "${1:-}" in
  find) report_python ;;
  install) install ;;
  gate) gate ;;
  *) refuse "Usage: action.sh find|install|gate" ;;
esac
