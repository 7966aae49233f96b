# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# A list with digests of another algorithm than IMA's default.
# plan: 4

check_like "the algorithm that IMA measures with" "sha256:.*" \
	"$(head -n 1 "$securityfs/ima/ascii_runtime_measurements" | cut -d' ' -f4)"
cp "$material/sha512/$name" "$lists/$name"
check "programs whose list has SHA-512 digests only" "$all ran" "$(state)"
cp "${programs[0]}" "$scratch/copy"
flip "$scratch/copy" -1
setfattr -n security.digest_list -v "$name" "$scratch/copy"
check "a copy of one with one bit flipped" EACCES "$(try run "$scratch/copy" -V)"
replace "$good"
check "programs with the usual list again" "$all ran" "$(state)"
