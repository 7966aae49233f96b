# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced first by every Bash script of the harness: where things are, how to
# talk to people, and mutual exclusion.
# shellcheck shell=bash
# Much of what is set here is used by the scripts that source this file.
# shellcheck disable=SC2034

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
SCRIPTS=$ROOT/scripts

# Everything that the harness builds or downloads is below this directory, so
# that a checkout stays clean and several checkouts can share one cache.
CACHE=${DIGEST_CACHE_BUILD:-${XDG_CACHE_HOME:-$HOME/.cache}/digest_cache}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd -P)
case $CACHE in
*[[:space:]:]*)
	printf 'digest_cache: DIGEST_CACHE_BUILD=%s: make cannot build in a directory with a space or a colon in its name\n' "$CACHE" >&2
	exit 1
	;;
esac
export DIGEST_CACHE_BUILD=$CACHE
LOGS=$CACHE/logs
TOOLS=$CACHE/tools
mkdir -p "$LOGS" "$TOOLS"

# What setup installs in the cache comes before the system's. User-space
# targets of cargo go to the cache as well. Administrators' directories are
# not in every user's PATH, but mke2fs and the like live there.
PATH=$TOOLS/bin:$TOOLS/venv/bin:$PATH:/usr/sbin:/sbin
export PATH
export CARGO_TARGET_DIR=$CACHE/target

# Tools must say the same everywhere, since their output is parsed.
export LC_ALL=C.UTF-8

# Messages go to standard error: standard output carries results only.
say() { printf '%s\n' "$*" >&2; }
warn() { printf '%s: warning: %s\n' "${0##*/}" "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Options for make's parallelism, unless the caller runs under make -j.
JOBS=${JOBS:-$(nproc)}

# Takes an exclusive lock for the rest of the script's life, unless it has it.
declare -A locked=()
lock() {
	local fd
	[ -z "${locked[$1]:-}" ] || return 0
	locked[$1]=1
	exec {fd}>"$CACHE/$1.lock"
	if ! flock -n "$fd"; then
		say "waiting for another run of the harness ($1)"
		flock "$fd"
	fi
}

# Prints the SHA-256 of the standard input.
digest() { sha256sum | cut -d' ' -f1; }

# key_of FILE|DIRECTORY|=TEXT...: a name for a build product that changes when
# one of its inputs does: the name, mode or content of a file, or of one below
# a directory, or a text.
key_of() {
	local input
	for input; do
		case $input in
		=*) printf '%s\n' "$input" ;;
		*) (cd "$(dirname "$input")" &&
			find "$(basename "$input")" -type f -printf '%p %m\n' \
				-exec sha256sum {} + | sort) ;;
		esac
	done | digest | cut -c1-16
}

# logged LOG TEXT COMMAND...: runs a command with its output in a log, and says
# every half minute that it still does, so that neither people nor a CI system
# take a long build for a dead one. Shows the end of the log if it fails.
logged() {
	local log=$1 text=$2 start=$SECONDS shown=0 step=30 status=0 pid
	shift 2
	[ ! -t 2 ] || step=1
	say "$text (log: $log)"
	# In a process group of its own, which is ended when this script is: a
	# build must not go on alone after Ctrl-C.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	# shellcheck disable=SC2064
	trap "kill -- -$pid 2>/dev/null || true" EXIT
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		if ((SECONDS - start >= shown + step)); then
			shown=$((SECONDS - start))
			progress "$text: $shown s, $(wc -l <"$log") lines"
		fi
	done
	wait "$pid" || status=$?
	trap - EXIT
	[ ! -t 2 ] || printf '\r\033[K' >&2
	if [ "$status" != 0 ]; then
		say "--- end of $log"
		tail -n 40 "$log" >&2
		say "---"
		return "$status"
	fi
	say "$text: done in $((SECONDS - start)) s"
}

# A line about something that goes on, which the next one replaces on a
# terminal.
progress() {
	if [ -t 2 ]; then
		printf '\r\033[K%s' "$*" >&2
	else
		say "$*"
	fi
}
