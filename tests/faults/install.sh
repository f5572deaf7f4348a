#!/bin/sh
# The PostgreSQL of tests/faults: installed where that needs nobody's word, else its tests are skipped and say why.
# It fails nothing: without PostgreSQL all other tests run. The tests start one of their own, so Debian makes none.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
command -v initdb >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing PostgreSQL for the tests of servers …"
    none=/etc/postgresql-common/createcluster.d/fitlab-tests.conf
    { mkdir -p "${none%/*}" && echo "create_main_cluster = false" >"$none" &&
        timeout 120 apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -qq -y --no-install-recommends postgresql; } \
        >/dev/null 2>&1 || echo "… it could not be installed: its tests will be skipped"
    rm -f "$none"
else
    echo "no PostgreSQL: its tests will be skipped; on Debian, as root: apt-get install postgresql"
fi
exit 0
