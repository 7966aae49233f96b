# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# What the checks in the virtual machine have in common. Nothing of it runs a
# program of the package that the checks break.

readonly lists=/etc/digest_lists
readonly material=/var/lib/digest-cache
readonly scratch=/var/tmp/digest-cache
readonly securityfs=/sys/kernel/security
mkdir -p "$scratch"

# check WHAT EXPECTED SEEN: one check, passed if both are equal.
check() {
	checks_done=$((checks_done + 1))
	if [ "$3" = "$2" ]; then
		echo "ok $checks_done - $1: $3" >&3
	else
		echo "not ok $checks_done - $1: $3, expected $2" >&3
	fi
}

# check_like WHAT REGULAR-EXPRESSION SEEN: one check, passed if it matches all.
check_like() {
	checks_done=$((checks_done + 1))
	if [[ $3 =~ ^($2)$ ]]; then
		echo "ok $checks_done - $1: $3" >&3
	else
		echo "not ok $checks_done - $1: $3, expected $2" >&3
	fi
}

# try ...: see there. What it names on standard error goes to the journal.
try() {
	"$here/try" "$@"
}

# list_of FILE: the path of its list, as its extended attribute has it.
list_of() {
	printf '%s/%s\n' "$lists" \
		"$(getfattr --absolute-names --only-values -n security.digest_list "$1")"
}

# programs_of PACKAGE: its programs, links left out.
programs_of() {
	local path
	while read -r path; do
		[ -f "$path" ] && [ ! -L "$path" ] && [ -x "$path" ] && echo "$path"
	done < "/var/lib/dpkg/info/$1.list"
}

# elf_files: the ELF files of all packages, each once: symbolic links and
# further hard links are left out. Some packages name them by a path that leads
# through a link (/lib).
elf_files() {
	sort -u /var/lib/dpkg/info/*.list | perl -ne '
		chomp;
		next if -l $_ || !-f _ || $seen{join(":", (stat _)[0, 1])}++;
		open(my $file, "<:raw", $_) or die "$_: $!\n";
		read($file, my $magic, 4);
		print "$_\n" if $magic eq "\x7fELF";
	' | xargs -d '\n' realpath | sort -u
}

# inodes: of the paths that it reads, sorted. Paths that are gone are left out.
inodes() {
	xargs -d '\n' stat -c %d:%i 2> /dev/null | sort -u
}

# flip FILE OFFSET: flips one bit of the byte at OFFSET (negative: from the
# end), in place. The rest of the file is not written.
flip() {
	perl -e '
		my ($path, $offset) = @ARGV;
		open(my $file, "+<:raw", $path) or die "$path: $!\n";
		$offset += -s $file if $offset < 0;
		seek($file, $offset, 0) or die "$path: $!\n";
		read($file, my $byte, 1) == 1 or die "$path: no byte at $offset\n";
		seek($file, $offset, 0) or die "$path: $!\n";
		print {$file} chr(ord($byte) ^ 1);
		close($file) or die "$path: $!\n";
	' "$1" "$2"
}

# altered_copy FILE COPY: a copy with one bit flipped where no program looks:
# the last byte of an ELF file is in the table of section headers, which
# neither the kernel nor the dynamic loader reads. The control boot shows that
# the copy works where nobody appraises it.
altered_copy() {
	mkdir -p "$(dirname "$2")"
	cp "$1" "$2"
	flip "$2" -1
}

# failed_units: their names in one line, or "none".
failed_units() {
	local units
	units=$(systemctl list-units --failed --plain --no-legend | cut -d' ' -f1 | xargs)
	echo "${units:-none}"
}

# The package whose lists the checks replace: its programs, its list, a copy
# of that.
readonly victim=ncurses-bin
mapfile -t programs < <(programs_of "$victim")
readonly all=${#programs[@]}
list=$(list_of "${programs[0]}")
readonly list name=${list##*/}
readonly good=$scratch/$name
cp "$list" "$good"

# state: what comes of running all its programs.
state() {
	try each -V "${programs[@]}"
}

# replace LIST: gives it another list by renaming, as package managers do.
replace() {
	cp "$1" "$lists/.new"
	mv "$lists/.new" "$list"
}
