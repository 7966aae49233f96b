# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Lists with a good signature and bad content: refused as a whole, with one
# message that says which list, what is wrong with it, and where. (All that
# can be wrong with a list is tried by the unit tests.)
# plan: 15

# messages: what the kernel has said about the list so far.
messages() {
	dmesg | grep -o "digest list $name: .*" | sed "s/^digest list $name: //"
}

size=$(stat -c %s "$material/unsigned/$name")
while read -r kind message; do
	# The limit is ten messages in five seconds.
	sleep 5
	before=$(messages | wc -l)
	replace "$material/$kind/$name"
	check "its list replaced by one that is $kind" "$all EACCES" "$(state)"
	check "the same again" "$all EACCES" "$(state)"
	check_like "what the kernel said of it" "1 message: $message" \
		"$(($(messages | wc -l) - before)) message: $(messages | tail -n 1)"
	replace "$good"
	check "its list replaced by the good one" "$all ran" "$(state)"
done <<- END
	unknown-field unknown field at offset $size: error -74
	truncated truncated field or excess bytes at offset [0-9]+: error -74
	excess truncated field or excess bytes at offset [0-9]+: error -74
END

# A name whose format nobody parses.
mv "$lists/$name" "$lists/other-$name"
for program in "${programs[@]}"; do
	setfattr -n security.digest_list -v "other-$name" "$program"
done
check "a list whose name asks for an unknown format" "$all EACCES" "$(state)"
check "what the kernel said of it" "unknown list format at offset 0: error -65" \
	"$(dmesg | grep -o "digest list other-$name: .*" | tail -n 1 |
		sed "s/^digest list other-$name: //")"
mv "$lists/other-$name" "$lists/$name"
for program in "${programs[@]}"; do
	setfattr -n security.digest_list -v "$name" "$program"
done
check "with its proper name again" "$all ran" "$(state)"
