# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The default path in securityfs: what it takes, who may write it, and that it
# takes effect.
# plan: 22

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
