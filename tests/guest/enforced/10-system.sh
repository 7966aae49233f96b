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

check "files with a signature or digest of their own (security.ima)" "0" \
	"$(getfattr --absolute-names -R -P -n security.ima /bin /boot /etc /home \
		/lib /lib64 /opt /root /sbin /srv /usr /var 2> /dev/null |
		grep -c '^security.ima')"
