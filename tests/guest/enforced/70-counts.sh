# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# How much is appraised, read and verified for all programs and libraries of
# the system, as IMA itself counts it: it is told to measure what it appraises,
# and all lists are read again because the default path is another copy of the
# same lists. A list's measurement has the signature that was appended to it.
# plan: 8

copy=$scratch/all-lists
cp -a "$lists" "$copy"
# A policy that is written replaces that of the command line, once. IMA takes a
# rule a write, and the policy when the file is closed; cat goes on after a
# write that took less than all.
cat > "$scratch/policy" << 'END'
measure func=MMAP_CHECK
measure func=DIGEST_LIST_CHECK template=ima-modsig
appraise func=DIGEST_LIST_CHECK appraise_type=imasig|modsig
appraise func=BPRM_CHECK digest_cache=data
appraise func=MMAP_CHECK digest_cache=data
END
check "a policy that measures, too" loaded \
	"$(cat "$scratch/policy" 2>&1 > "$securityfs/ima/policy" && echo loaded)"
check "the same lists in another directory" written \
	"$(try write "$default_path" "$copy")"
mapfile -t files < "$scratch/elf-files"
check "ELF files that may be mapped for execution" "${#files[@]} mapped" \
	"$(try map - < "$scratch/elf-files")"

# The measurement list: PCR, digest, template, digest of the file, its path,
# and for lists signature (none), digest without appended signature, and that.
cp "$securityfs/ima/ascii_runtime_measurements" "$scratch/measurements"
awk '$3 != "ima-modsig" { print $5 }' "$scratch/measurements" |
	inodes > "$scratch/measured"
awk '$3 == "ima-modsig" { print $5 }' "$scratch/measurements" | sort -u > "$scratch/read"
awk '$3 == "ima-modsig" && length($NF) > 64 { print $5 }' "$scratch/measurements" |
	sort -u > "$scratch/verified"

# The lists that these files name: each must be among those.
xargs -d '\n' -a "$scratch/elf-files" \
	getfattr --absolute-names -n security.digest_list |
	sed -n "s,^security.digest_list=\"\(.*\)\"\$,$copy/\1,p" |
	sort -u > "$scratch/needed"
needed=$(wc -l < "$scratch/needed")

check "files appraised" "${#files[@]} of ${#files[@]}" \
	"$(inodes < "$scratch/elf-files" | comm -12 - "$scratch/measured" | wc -l) of ${#files[@]}"
check "lists read for them" "$needed of $needed" \
	"$(comm -12 "$scratch/needed" "$scratch/read" | wc -l) of $needed"
check "signatures of lists verified for them" "$needed of $needed" \
	"$(comm -12 "$scratch/needed" "$scratch/verified" | wc -l) of $needed"

check "a copy with one bit flipped" EACCES "$(try run "$scratch/altered" -V)"
check "the usual directory again" written "$(try write "$default_path" "$lists")"
