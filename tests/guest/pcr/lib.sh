# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the first programs of the machine, in the initial RAM disk and on the
# disk, have in common. They report on file descriptor 3, one line each:
#
#   fact NAME: TEXT          what was seen
#   policy RULE              IMA's policy, rule by rule
#   measurement LINE         IMA's measurement list, entry by entry
#   pcr VALUE                PCR 12 of the TPM in its SHA-256 bank
#   # end                    there was nothing more to report
#
# While IMA measures, they run as few programs as they can, and write files in
# memory only: a file that is open for writing while it is measured is a
# violation, and one that was written is in no list.

readonly ima=/sys/kernel/security/ima

fact() {
	printf 'fact %s: %s\n' "$1" "$2" >&3
}

# open_report: connects file descriptor 3 with the port of this name on the
# host.
open_report() {
	local port name
	for port in /sys/class/virtio-ports/*; do
		read -r name < "$port/name"
		if [ "$name" = report ]; then
			exec 3> "/dev/${port##*/}"
			return
		fi
	done
	echo "the machine has no port to report to" >&2
	return 1
}

# try PROGRAM [ARGUMENT...]: "ran", "refused", or what happened instead. All
# programs that are tried are executable, so that only IMA says EACCES.
try() {
	local output status=0
	output=$("$@" 2>&1 < /dev/null) || status=$?
	case $status:$output in
	0:*) echo "ran" ;;
	126:*": Permission denied") echo "refused" ;;
	*) echo "status $status: ${output//$'\n'/ }" ;;
	esac
}

# report_end: reports what IMA has done and ends the machine. Between the
# reading of the measurement list and that of the PCR nothing is opened that
# IMA would measure. The kernel ends without a word when its init does.
report_end() {
	local lines pcr
	mapfile -t lines < "$ima/policy"
	printf 'policy %s\n' "${lines[@]}" >&3
	mapfile -t lines < "$ima/ascii_runtime_measurements_sha256"
	read -r pcr < /sys/class/tpm/tpm0/pcr-sha256/12
	printf 'measurement %s\n' "${lines[@]}" >&3
	printf 'pcr %s\n# end\n' "$pcr" >&3
	power_off
}

power_off() {
	exec perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)'
}
