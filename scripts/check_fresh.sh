#!/usr/bin/env bash
# Fail when a generated file is older than what it is made from.
set -euo pipefail
.venv/bin/python scripts/build_reference.py --check
if command -v node >/dev/null && [ -d web/node_modules ]; then
  (cd web && node build.mjs --check)
else
  .venv/bin/python scripts/check_assets.py
fi
