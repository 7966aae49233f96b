# SPDX-License-Identifier: GPL-2.0-only
#
# Starting the virtual machine and talking to it. Sourced after guest.sh.
# shellcheck shell=bash

# What makes IMA enforce the digest lists from the first program on.
# shellcheck disable=SC2034  # for those that source this
ENFORCED=(lsm=digest_cache ima_policy=digest_cache_appraise ima_appraise=enforce)

machines=()
stop_machines() {
	local pid
	for pid in "${machines[@]}"; do
		kill "$pid" 2> /dev/null || true
	done
}
trap stop_machines EXIT

# The script that becomes the machine; guest-um takes the same arguments.
machine_runner=guest-qemu

# start_machine DIRECTORY KERNEL IMAGE APPEND...: starts the machine and sets
# MACHINE to its process. It ends with the script.
start_machine() {
	mkdir -p "$1"
	rm -f "$1"/{console.log,console.sock,report,qemu.log}
	: > "$1/report"
	"$SCRIPTS/$machine_runner" "$@" > "$1/qemu.log" 2>&1 &
	MACHINE=$!
	machines+=("$MACHINE")
}

# terminal: the words for the kernel's command line that make the serial
# console know the terminal that we will attach to it.
terminal() {
	local rows columns
	read -r rows columns < <(stty size 2> /dev/null) || return 0
	printf '%s\n' "TERM=${TERM:-vt220}" "console_size=${rows}x$columns"
}

# attach DIRECTORY PID: connects the terminal with the machine's console until
# the machine ends or Ctrl-] is pressed.
attach() {
	need socat socat
	# A path of a socket has at most 107 bytes: a relative one is short.
	(
		cd "$1"
		for ((i = 0; i < 50; i++)); do
			[ ! -S console.sock ] || break
			sleep 0.1
		done
		exec socat -,rawer,escape=0x1d unix-connect:console.sock
	) || true
	kill -0 "$2" 2> /dev/null || [ ! -s "$1/qemu.log" ] || cat "$1/qemu.log" >&2
}
