# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts that make and run the virtual machine have in common, on
# top of common.sh. Sourced first by them instead of it.
# shellcheck shell=bash

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# need PROGRAM PACKAGE: a program that the caller cannot do without.
need() {
	command -v "$1" > /dev/null ||
		die "$1 not found: run scripts/setup, or install the Debian package $2"
}

# On a terminal, a line of progress that the next one replaces.
progress() {
	[ ! -t 2 ] || printf '\r\033[K%s' "$*" >&2
}

# watch_job PID TEXT: waits for a background job and says so; on a terminal
# with the seconds that have passed. Returns what the job returned.
watch_job() {
	local pid=$1 text=$2 start=$SECONDS status=0
	while [ -t 2 ] && kill -0 "$pid" 2> /dev/null; do
		progress "$text: $((SECONDS - start)) s"
		sleep 0.5
	done
	wait "$pid" || status=$?
	progress ''
	say "$text: $((SECONDS - start)) s"
	return "$status"
}

# in_cache PATH: the same path as people are told: relative to the cache.
in_cache() {
	printf '%s\n' "${1#"$CACHE"/}"
}

# publish TEMPORARY FINAL: a product appears under its name complete or not at
# all.
publish() {
	sync -f "$1"
	mv -T "$1" "$2"
}
