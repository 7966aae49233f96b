# SPDX-License-Identifier: GPL-2.0-only
#
# Selects the compilers for the kernel: LLVM, a rustc that comes with its
# library source, and bindgen. Sourced after common.sh. Variables that are set
# in the environment are respected. Nothing is installed from here.
# shellcheck shell=bash

# Minimum versions of Linux 7.3 (Documentation/process/changes.rst), and the
# LLVM release that is tried first because it is the one that is tested.
LLVM_MIN=17
LLVM_TESTED=19
RUSTC_MIN=1.85.0

# version_ge HAVE WANTED
version_ge() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

# A directory is good if it has all the LLVM tools that the kernel calls and
# the libclang that bindgen loads, of the same release.
llvm_usable() {
	local tool
	for tool in clang ld.lld llvm-ar llvm-nm llvm-objcopy llvm-objdump llvm-readelf llvm-strip; do
		[ -x "$1/$tool" ] || return 1
	done
	compgen -G "$1/../lib/libclang*.so*" >/dev/null
}

# Prints the directory of an LLVM toolchain, or fails.
find_llvm() {
	local version dir
	for version in $LLVM_TESTED 23 22 21 20 18 $LLVM_MIN; do
		dir=/usr/lib/llvm-$version/bin
		if llvm_usable "$dir"; then
			printf '%s\n' "$dir"
			return
		fi
	done
	dir=$(command -v clang) || return 1
	dir=$(dirname "$(readlink -f "$dir")")
	llvm_usable "$dir" || return 1
	version=$("$dir/clang" -dumpversion)
	version_ge "$version" "$LLVM_MIN" || return 1
	printf '%s\n' "$dir"
}

# A rustc is good if it is new enough and its library source is installed,
# since the kernel compiles core itself.
rustc_usable() {
	local sysroot version
	sysroot=$("$1" --print sysroot 2>/dev/null) || return 1
	version=$("$1" --version | cut -d' ' -f2)
	version_ge "${version%%-*}" "$RUSTC_MIN" || return 1
	[ -f "$sysroot/lib/rustlib/src/rust/library/core/src/lib.rs" ]
}

# Prints the path of a rustc for the kernel, or fails.
find_rustc() {
	local candidate
	for candidate in "${RUSTC:-}" "$(command -v rustc || true)" /usr/bin/rustc; do
		if [ -n "$candidate" ] && rustc_usable "$candidate"; then
			printf '%s\n' "$candidate"
			return
		fi
	done
	return 1
}

# Whether clang and rustc, once selected, understand each other's bitcode.
same_llvm() {
	local clang rustc
	clang=$(clang -dumpversion)
	rustc=$("$RUST_BIN/rustc" -vV | sed -n 's/^LLVM version: //p')
	[ "${clang%%.*}" = "${rustc%%.*}" ] && command -v llvm-link >/dev/null
}

# Sets PATH, LIBCLANG_PATH, RUST_BIN (the directory of the kernel's Rust
# tools) and KERNEL_MAKE (arguments for every make of the kernel).
select_toolchain() {
	local llvm rustc
	llvm=${LLVM_BIN:-$(find_llvm)} ||
		die "no usable LLVM (clang, lld, llvm tools and libclang, $LLVM_MIN or newer): run 'make setup'"
	rustc=$(find_rustc) ||
		die "no rustc $RUSTC_MIN or newer with its library source: run 'make setup'"
	command -v bindgen >/dev/null ||
		die "bindgen is missing: run 'make setup'"
	export PATH=$llvm:$PATH
	export LIBCLANG_PATH=${LIBCLANG_PATH:-$(cd "$llvm/../lib" && pwd -P)}
	RUST_BIN=$(dirname "$rustc")
	# shellcheck disable=SC2034
	KERNEL_MAKE=(
		LLVM=1
		RUSTC="$rustc" HOSTRUSTC="$rustc"
		RUSTDOC="$RUST_BIN/rustdoc"
		RUSTFMT="$RUST_BIN/rustfmt"
		CLIPPY_DRIVER="$RUST_BIN/clippy-driver"
	)
}

# Prints what distinguishes this toolchain from another: a build made with one
# is not continued with the other unnoticed.
toolchain_id() {
	clang --version | head -n1
	ld.lld --version | head -n1
	"$RUST_BIN/rustc" -vV
	bindgen --version
}
