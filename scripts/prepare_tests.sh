#!/usr/bin/env bash
# What the tests need beside Python packages: a Chromium for the browser tests.
set -uo pipefail
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$name" >/dev/null && exit 0
done
[ "$(uname -s)" = Darwin ] && [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] && exit 0
echo "No Chromium found; installing one for the browser tests …" >&2
if command -v apt-get >/dev/null; then
  sudo=''
  [ "$(id -u)" = 0 ] || sudo='sudo -n'
  $sudo apt-get update -qq >/dev/null 2>&1
  $sudo apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null 2>&1 && exit 0
fi
.venv/bin/python -m playwright install chromium >/dev/null 2>&1 && exit 0
echo "None could be installed; the browser tests will say that they are skipped." >&2
exit 0
