# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The system as it is after booting under enforcement.
# plan: 10

check_like "digest_cache is an active LSM" '(.*,)?digest_cache(,.*)?' \
	"$(cat "$securityfs/lsm")"

policy=$securityfs/ima/policy
check "IMA appraises digest lists by their signatures" \
	"appraise func=DIGEST_LIST_CHECK appraise_type=imasig|modsig" \
	"$(grep -o '^appraise func=DIGEST_LIST_CHECK.*[^ ]' "$policy")"
check "IMA appraises programs through digest lists" \
	"appraise func=BPRM_CHECK digest_cache=data" \
	"$(grep -o '^appraise func=BPRM_CHECK.*[^ ]' "$policy")"
check "IMA appraises executable mappings through digest lists" \
	"appraise func=MMAP_CHECK digest_cache=data" \
	"$(grep -o '^appraise func=MMAP_CHECK.*[^ ]' "$policy")"
# Everything that makes an exception or takes it less seriously.
check "nothing is exempted, and appraisal is enforced" "0 exceptions, enforce" \
	"$(grep -c '^dont_' "$policy") exceptions, $(grep -ow 'ima_appraise=[a-z]*' /proc/cmdline | cut -d= -f2)"

check "the system reached its default target" "active" \
	"$(systemctl is-active default.target)"
check "the state of the system" "running" "$(systemctl is-system-running --wait)"
check "failed units" "none" "$(failed_units)"

# All programs and shared libraries of all packages, each mapped once for
# execution: every file and every list is read and judged here.
elf_files > "$scratch/elf-files"
check_like "ELF files of packages that may be mapped for execution" \
	"$(wc -l < "$scratch/elf-files") mapped" \
	"$("$here/try" map - < "$scratch/elf-files")"

# The attributes of the lists show that attributes are seen at all.
getfattr --absolute-names -R -P -m '^security\.' /bin /boot /etc /home /lib /lib64 \
	/opt /root /sbin /srv /usr /var > "$scratch/attributes" 2> /dev/null
check_like "files with a signature or digest of their own (security.ima), and with a list" \
	"0, [1-9][0-9]*" "$(grep -c '^security.ima$' "$scratch/attributes"), $(
		grep -c '^security.digest_list$' "$scratch/attributes")"
