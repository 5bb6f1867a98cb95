#!/usr/bin/env bash
# From the competition's files to a checked submission: sets up, then `python -m solution run` with the same options.
#   ./run_all.sh [--data DIR] [--scale smoke|cpu|full] [--device auto|cpu|cuda] [--jobs N] [--fresh] [--use-duplicates]
#                [--executor local|ray[:HOST:PORT]] [--weights DIR, scale full only] [--no-pretrained]
#   ./run_all.sh --test [pytest options]      sets up the same way and runs the tests
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Folders may be relative to where the command was given: make them absolute before moving.
arguments=()
while (($#)); do
  case $1 in
    --data | --weights)
      (($# > 1)) || { echo "error: $1: expected a folder" >&2; exit 2; }
      arguments+=("$1" "$(realpath -m -- "$2")"); shift 2 ;;
    --data=* | --weights=*) arguments+=("${1%%=*}=$(realpath -m -- "${1#*=}")"); shift ;;
    *) arguments+=("$1"); shift ;;
  esac
done
cd "$here"

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# The first of the Pythons here that is new enough: the one that figures were measured with before later ones.
find_python() {
  local name
  for name in python3.11 python3 python3.12 python3.13 python3.14; do
    if command -v "$name" >/dev/null && new_enough "$name"; then command -v "$name"; return; fi
  done
  echo "error: expected Python 3.11 or newer, got $(python3 --version 2>/dev/null || echo none)" >&2
  return 2
}

if [[ -z ${VIRTUAL_ENV:-} ]]; then
  # One without pip is of an installation that failed, one without its Python of a version that is gone.
  if ! [[ -x .venv/bin/python && -x .venv/bin/pip ]]; then
    python=$(find_python)
    echo "Setup: making .venv"
    "$python" -m venv --clear .venv
  fi
  export VIRTUAL_ENV=$here/.venv PATH=$here/.venv/bin:$PATH
fi

# Install once per version of requirements.txt and environment: the stamp is written after pip has ended well.
stamp=$VIRTUAL_ENV/.facial-keypoints-$(sha256sum requirements.txt | cut -c1-16)
if [[ ! -e $stamp ]]; then
  new_enough python || { echo "error: expected Python 3.11 or newer, got $(python --version)" >&2; exit 2; }
  echo "Setup: installing requirements.txt (one to three minutes, once)"
  python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  touch "$stamp"
fi

if [[ ${arguments[0]:-} == --test ]]; then
  exec python -m pytest "${arguments[@]:1}"
fi
exec python -m solution run "${arguments[@]}"
