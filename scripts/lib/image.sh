# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts that make disk images have in common, on top of guest.sh.
# shellcheck shell=bash

# Each is some hundred MB, so only those used last are kept.
readonly images_kept=3

# Lists go to an extended attribute that only root may set, on files that have
# their owners: in a user namespace both can be had on a file system that is
# mounted in it.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		unshare --mount "$@"
	else
		need newuidmap uidmap
		unshare --mount --map-root-user --map-auto "$@"
	fi
}

# keep_newest PATTERN: removes from the cache all but the last that were used.
keep_newest() {
	find "$CACHE/images" -mindepth 1 -maxdepth 1 -name "$1" -printf '%T@ %p\n' |
		sort -rn | tail -n +$((images_kept + 1)) | cut -d' ' -f2- |
		xargs -r -d '\n' rm -rf
}
