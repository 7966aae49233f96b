# SPDX-License-Identifier: GPL-2.0-only
#
# The kernels that the harness knows, in one table: what each is made from and
# what comes out. Sourced after common.sh.
# shellcheck shell=bash disable=SC2034

FLAVOURS=(x86_64 x86_64-debug x86_64-kcsan um um-debug config-off clippy)

# flavour NAME: sets ARCH_NAME, FRAGMENTS (files in configs/), TARGETS and
# MAKE_ARGS for make, IMAGE (relative to the build directory, empty if the
# flavour is only compiled) and BUILD (the build directory). What can be booted
# is built with its modules, so that others can be built for it.
flavour() {
	MAKE_ARGS=()
	IMAGE=
	case $1 in
	x86_64*) # Boots a distribution in QEMU.
		ARCH_NAME=x86_64
		TARGETS=(bzImage modules)
		IMAGE=arch/x86/boot/bzImage
		;;
	um*) # User Mode Linux, a program: boots at once, at native speed.
		ARCH_NAME=um
		TARGETS=(all)
		IMAGE=linux
		;;
	config-off) # The patched subsystems without the LSM, nor Rust.
		ARCH_NAME=um
		TARGETS=(security/ fs/kernel_read_file.o)
		;;
	clippy) # The LSM through the kernel's lints.
		ARCH_NAME=um
		TARGETS=(security/digest_cache/)
		MAKE_ARGS=(CLIPPY=1)
		;;
	esac
	case $1 in
	x86_64) FRAGMENTS=(common x86_64) ;; # The release.
	x86_64-debug) FRAGMENTS=(common x86_64 debug) ;;
	x86_64-kcsan) FRAGMENTS=(common x86_64 kcsan) ;;
	um) FRAGMENTS=(common um inline) ;; # For benchmarks.
	um-debug) FRAGMENTS=(common um debug) ;;
	config-off) FRAGMENTS=(common um off) ;;
	clippy) FRAGMENTS=(common um) ;;
	*)
		die "unknown flavour '$1': one of ${FLAVOURS[*]}"
		;;
	esac
	BUILD=$CACHE/build/$1
}
