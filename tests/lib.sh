# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by the suites in tests/suites/: one line for each check, and totals.
# A suite ends with "finish", which prints them; the runner takes a suite that
# does not come that far for failed.
# shellcheck shell=bash

. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

passed=0
failed=0

# check TEXT COMMAND...: one check, which passes if the command does. What the
# command says is in the suite's log.
check() {
	local text=$1
	shift
	if "$@" </dev/null >&2; then
		passed=$((passed + 1))
		printf 'ok %d - %s\n' $((passed + failed)) "$text"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' $((passed + failed)) "$text"
	fi
}

finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
	exit
}
