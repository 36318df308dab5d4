#!/usr/bin/env bash
# Make .venv and install opsbot in it: set_up.sh PYTHON base|test
#
# uv does the installing when it can be had (about three times faster); plain pip works too. On Linux
# PyTorch comes with gigabytes of CUDA unless a CPU build is offered: a folder of wheels in
# PIP_FIND_LINKS is used first, else the CPU index that PyTorch itself publishes, if it answers.
set -euo pipefail

python=$1 kind=$2
log=.venv/set_up.log
say() { printf '%s\n' "$*" >&2; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  say "opsbot needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.12 …"
  exit 1
}
[ -x .venv/bin/python ] || "$python" -m venv .venv || {
  say "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv"
  exit 1
}
say "Setting up .venv (once; details in $log) …"
target=.
[ "$kind" = test ] && target='.[test]'

install() {
  if .venv/bin/python -m pip install -q uv >>"$log" 2>&1; then
    UV_COMPILE_BYTECODE=1 UV_FIND_LINKS="${PIP_FIND_LINKS:-}" UV_CONSTRAINT=constraints.txt \
      .venv/bin/uv pip install -q --python .venv/bin/python "$@" >>"$log" 2>&1
  else
    .venv/bin/python -m pip install -q -c constraints.txt "$@" >>"$log" 2>&1
  fi
}

if [ "$(uname -s)" = Linux ] && [ -z "${PIP_FIND_LINKS:-}" ] && ! .venv/bin/python -c 'import torch' 2>/dev/null; then
  .venv/bin/python -m pip install -q uv >>"$log" 2>&1 || true
  .venv/bin/uv pip install -q --python .venv/bin/python --torch-backend=cpu 'torch==2.13.0' >>"$log" 2>&1 ||
    say "No CPU-only PyTorch could be had; the full one will be installed (large)."
fi
if ! install -e "$target"; then
  tail -n 15 "$log" >&2
  say "The installation failed; the whole output is in $log."
  exit 1
fi
touch .venv/base
[ "$kind" = test ] && touch .venv/test
exit 0
