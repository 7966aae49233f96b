# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The default path in securityfs: what it takes, who may write it, and that it
# takes effect.
# plan: 29

default_path=$securityfs/digest_cache/default_path
newline=$'\n'

check "the default path" "$lists" "$(cat "$default_path")"

# Another directory, complete but for one package.
other=$scratch/lists
cp -a "$lists" "$other"
rm "$other/$name"
check "another directory" written "$(try write "$default_path" "$other")"
check "the default path then" "$other" "$(cat "$default_path")"
check "programs of the package whose list is not there" "$all EACCES" "$(state)"
check_like "a program of another package" "ran: jq-.*" "$(try run /usr/bin/jq --version)"
check "the first directory, with a newline" written \
	"$(try write "$default_path" "$lists$newline")"
check "the default path then" "$lists" "$(cat "$default_path")"
check "programs of the package" "$all ran" "$(state)"

# The default path may also be one list, then that of all files.
check "a single list" written \
	"$(try write "$default_path" "$material/everything/tlv-everything")"
check "programs of the package" "$all ran" "$(state)"
check "a copy of one with one bit flipped" EACCES "$(try run "$scratch/altered" -V)"
check "the directory again" written "$(try write "$default_path" "$lists$newline")"

# A list that was that of all files is, once the directory is the default path
# again, only that of the files that name it.
cp --preserve=xattr "${programs[0]}" "$scratch/foreign"
setfattr -n security.digest_list -v "$(basename "$(list_of /usr/bin/jq)")" "$scratch/foreign"
# Meanwhile no other program of the system runs, so this is left to the shell.
echo "$list" > "$default_path"
"$scratch/foreign" -V > /dev/null 2>&1
echo "$lists" > "$default_path"
check "programs of the package" "$all ran" "$(state)"
check "the program that names another list" EACCES "$(try run "$scratch/foreign" -V)"

# A symbolic link can be replaced without anything being moved.
ln -s "$lists" "$scratch/link"
check "a symbolic link to the directory" written \
	"$(try write "$default_path" "$scratch/link")"
check "programs of the package" "$all ran" "$(state)"
check "the link replaced by one to the directory without their list" "relinked" \
	"$(try relink "$scratch/link" "$other")"
check "programs of the package" "$all EACCES" "$(state)"
check "the directory again" written "$(try write "$default_path" "$lists$newline")"

# What is not accepted leaves the old value.
long=/$(printf 'x%.0s' {1..4095})
check "a relative path" EINVAL "$(try write "$default_path" etc/digest_lists)"
check "nothing but a newline" EINVAL "$(try write "$default_path" "$newline")"
check "a path of 4096 bytes" EINVAL "$(try write "$default_path" "$long")"
check "a path of 4096 bytes with a newline" EINVAL \
	"$(try write "$default_path" "$long$newline")"
check "the default path then" "$lists" "$(cat "$default_path")"

# CAP_SYS_ADMIN in the initial namespace is needed.
check "root without CAP_SYS_ADMIN" EPERM \
	"$(setpriv --bounding-set=-sys_admin "$here/try" write "$default_path" "$other")"
check "root of another user namespace" EPERM \
	"$(unshare --user --map-root-user "$here/try" write "$default_path" "$other")"
check "somebody else" "open EACCES" \
	"$(setpriv --reuid=65534 --regid=65534 --clear-groups "$here/try" write "$default_path" "$other")"
check "the default path then" "$lists" "$(cat "$default_path")"
check "programs of the package" "$all ran" "$(state)"
