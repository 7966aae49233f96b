# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Which files may be executed and mapped.
# plan: 18

check_like "a packaged program" "ran: ncurses [0-9.]*" "$(try run /usr/bin/tput -V)"
check_like "a packaged program with shared libraries" "ran: jq-.*" \
	"$(try run /usr/bin/jq --version)"
check_like "a packaged script" "ran: .*" \
	"$(try run /usr/bin/ldd /usr/bin/tput)"
check_like "an interpreter that maps extension modules" "ran: [0-9.]*" \
	"$(try run /usr/bin/python3 -c 'import math; print(math.pi)')"

# Digests are trusted, not paths, whatever the file system.
cp /usr/bin/tput "$scratch/copy"
check_like "a copy of a listed program, found in the directory of lists" \
	"ran: ncurses .*" "$(try run "$scratch/copy" -V)"
cp --preserve=xattr /usr/bin/tput "$scratch/labelled-copy"
check_like "a copy of a listed program with its attribute" \
	"ran: ncurses .*" "$(try run "$scratch/labelled-copy" -V)"
cp /usr/bin/tput /dev/shm/copy
check_like "a copy of a listed program on tmpfs" \
	"ran: ncurses .*" "$(try run /dev/shm/copy -V)"

altered_copy /usr/bin/tput "$scratch/altered"
check "the copy with one bit flipped" EACCES "$(try run "$scratch/altered" -V)"
cp --preserve=xattr /usr/bin/tput "$scratch/labelled-altered"
flip "$scratch/labelled-altered" -1
check "the same with the attribute of the original" EACCES \
	"$(try run "$scratch/labelled-altered" -V)"
altered_copy /usr/bin/tput /dev/shm/altered
check "the same on tmpfs" EACCES "$(try run /dev/shm/altered -V)"

# The decision about a file does not outlive its content.
flip "$scratch/copy" -1
check "a copy that ran, altered afterwards" EACCES "$(try run "$scratch/copy" -V)"
flip "$scratch/copy" -1
check_like "that copy, altered back" "ran: ncurses .*" "$(try run "$scratch/copy" -V)"

{ cat /usr/bin/tput; echo 'in no list'; } > "$scratch/unlisted"
chmod 755 "$scratch/unlisted"
check "a program in no list" EACCES "$(try run "$scratch/unlisted" -V)"
printf '#!/bin/sh\necho in no list\n' > "$scratch/script"
chmod 755 "$scratch/script"
check "a script in no list" EACCES "$(try run "$scratch/script")"
setfattr -n security.digest_list -v tlv-there-is-no-such-list "$scratch/labelled-copy"
check "a listed program whose attribute names no list" EACCES \
	"$(try run "$scratch/labelled-copy" -V)"

library=$(readlink -f /usr/lib/x86_64-linux-gnu/libjq.so.1)
mkdir -p "$scratch/good"
cp "$library" "$scratch/good/libjq.so.1"
check "a copy of a shared library" "1 mapped" "$(try map "$scratch/good/libjq.so.1")"
altered_copy "$library" "$scratch/bad/libjq.so.1"
check "the copy with one bit flipped" "1 EACCES" "$(try map "$scratch/bad/libjq.so.1")"
check_like "a program that loads it" \
	"ran, exit 127: .*libjq.so.1: failed to map segment from shared object.*" \
	"$(LD_LIBRARY_PATH=$scratch/bad try run /usr/bin/jq --version)"
