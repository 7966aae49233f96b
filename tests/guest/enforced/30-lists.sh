# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What becomes of the programs of a package when its list is changed, without
# rebooting, and when it is put back.
# plan: 36

check "programs of the package $victim, list $name" "$all ran" "$(state)"

flip "$list" 100
check "its list altered by one bit" "$all EACCES" "$(state)"
flip "$list" 100
check "altered back" "$all ran" "$(state)"

flip "$list" -60
check "its list's signature altered by one bit" "$all EACCES" "$(state)"
cat "$good" > "$list"
check "its list written again" "$all ran" "$(state)"

rm "$list"
check "its list removed" "$all EACCES" "$(state)"
cp "$good" "$list"
check "its list put back" "$all ran" "$(state)"

mv "$list" "$scratch/moved"
check "its list moved away" "$all EACCES" "$(state)"
mv "$scratch/moved" "$list"
check "its list moved back" "$all ran" "$(state)"

truncate -s 100 "$list"
check "its list truncated" "$all EACCES" "$(state)"
cp "$good" "$list"
check "its list written again" "$all ran" "$(state)"

# Replaced by a rename, as package managers do: the old inode does not change.
for kind in unsigned untrusted; do
	replace "$material/$kind/$name"
	check "its list replaced by one that is $kind" "$all EACCES" "$(state)"
	replace "$good"
	check "its list replaced by the good one" "$all ran" "$(state)"
done
replace "$material/well-formed/$name"
check "its list replaced by one with another good signature" "$all ran" "$(state)"
replace "$good"

check "the directory of lists moved away" "$all EACCES" \
	"$(try without "$lists" each -V "${programs[@]}")"
check "the directory of lists moved back" "$all ran" "$(state)"

# The same through the directory: for files without the attribute every list
# counts.
for program in "${programs[@]}"; do
	setfattr -x security.digest_list "$program"
done
check "programs without their attribute" "$all ran" "$(state)"
flip "$list" 100
check "the list altered by one bit" "$all EACCES" "$(state)"
flip "$list" 100
check "altered back" "$all ran" "$(state)"
rm "$list"
check "the list removed" "$all EACCES" "$(state)"
cp "$good" "$list"
check "the list put back" "$all ran" "$(state)"
replace "$material/untrusted/$name"
check "the list replaced by one that is untrusted" "$all EACCES" "$(state)"
replace "$good"
check "the list replaced by the good one" "$all ran" "$(state)"
check "the directory of lists moved away" "$all EACCES" \
	"$(try without "$lists" each -V "${programs[@]}")"
check "the directory of lists moved back" "$all ran" "$(state)"

# A list that the kernel has forgotten, while programs and directory are held,
# is changed in place: no hook finds anything to reset.
held=()
for program in "${programs[@]}"; do
	exec {descriptor}< "$program"
	held+=("$descriptor")
done
pushd "$lists" > /dev/null || exit
sync
for _ in 1 2 3; do
	echo 2 > /proc/sys/vm/drop_caches
done
cat "$material/untrusted/$name" > "$list"
check "the list, forgotten by the kernel, overwritten by one that is untrusted" \
	"$all EACCES" "$(state)"
cat "$good" > "$list"
check "overwritten by the good one" "$all ran" "$(state)"
popd > /dev/null || exit
for descriptor in "${held[@]}"; do
	exec {descriptor}<&-
done

for program in "${programs[@]}"; do
	setfattr -n security.digest_list -v "$name" "$program"
done
check "programs with their attribute again" "$all ran" "$(state)"

# A label alone changes who vouches.
setfattr -n security.digest_list -v "$(basename "$(list_of /usr/bin/jq)")" "${programs[0]}"
check "a program whose attribute names the list of another package" EACCES \
	"$(try run "${programs[0]}" -V)"
setfattr -n security.digest_list -v "$name" "${programs[0]}"
check "all with the right attribute" "$all ran" "$(state)"

# A shared library's list.
library=$(readlink -f /usr/lib/x86_64-linux-gnu/libjq.so.1)
library_list=$(list_of "$library")
cp "$library_list" "$scratch/library-list"
flip "$library_list" 100
check "a shared library whose list is altered by one bit" "1 EACCES" \
	"$(try map "$library")"
check_like "the program that needs it" \
	"ran, exit 127: .*libjq.so.1: failed to map segment from shared object.*" \
	"$(try run /usr/bin/jq --version)"
cat "$scratch/library-list" > "$library_list"
check "the shared library with its list written again" "1 mapped" \
	"$(try map "$library")"
check_like "the program that needs it" "ran: jq-.*" "$(try run /usr/bin/jq --version)"
