# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The control: the same kernel and system with the LSM built in but not
# enabled, and nothing appraised. What the other boot refuses runs here, so it
# is not refused for being broken.
# plan: 10

check "digest_cache among the active LSMs" "0" \
	"$(grep -cw digest_cache "$securityfs/lsm")"
check "its directory in securityfs" "absent" \
	"$([ -e "$securityfs/digest_cache" ] && echo present || echo absent)"
check "the state of the system" "running" "$(systemctl is-system-running --wait)"
check "failed units" "none" "$(failed_units)"

altered_copy /usr/bin/tput "$scratch/altered"
check_like "a copy of a program with one bit flipped" "ran: ncurses .*" \
	"$(try run "$scratch/altered" -V)"
{ cat /usr/bin/tput; echo 'in no list'; } > "$scratch/unlisted"
chmod 755 "$scratch/unlisted"
check_like "a program in no list" "ran: ncurses .*" "$(try run "$scratch/unlisted" -V)"
altered_copy "$(readlink -f /usr/lib/x86_64-linux-gnu/libjq.so.1)" "$scratch/bad/libjq.so.1"
check "a copy of a shared library with one bit flipped" "1 mapped" \
	"$(try map "$scratch/bad/libjq.so.1")"
check_like "a program that loads it" "ran: jq-.*" \
	"$(LD_LIBRARY_PATH=$scratch/bad try run /usr/bin/jq --version)"

flip "$list" 100
check "programs whose list is altered" "$all ran" "$(state)"
setfattr -x security.digest_list "${programs[0]}"
check_like "a program without its attribute" "ran: .*" "$(try run "${programs[0]}" -V)"
