#!/bin/sh
# The browser of tests/browser: installed where that needs nobody's word, else its tests are skipped and say why.
# It fails nothing: without a browser all other tests run.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing chromium for the browser tests …"
    { timeout 120 apt-get update -qq && timeout 600 apt-get install -qq -y --no-install-recommends chromium; } \
        >/dev/null 2>&1 || echo "… it could not be installed: the browser tests will be skipped"
else
    echo "no browser: its tests will be skipped; on Debian, as root: apt-get install chromium"
fi
exit 0
