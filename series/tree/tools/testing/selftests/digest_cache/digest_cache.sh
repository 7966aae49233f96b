#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests of the digest_cache LSM, in a directory of their own.

skip() {
	echo "1..0 # SKIP $*"
	exit 4
}

cd "$(dirname "$0")" || exit 1
[ "$(id -u)" = 0 ] || skip "only root can run these tests"
[ -d /sys/kernel/security/digest_cache ] || skip "the digest_cache LSM is not enabled"
[ -e test_modules/dc_client.ko ] || skip "the modules are not built"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
./digest_cache_test --dir "$dir" --modules test_modules
