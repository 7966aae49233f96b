# SPDX-License-Identifier: GPL-2.0-only
#
# For people: "make help" says what there is. (The kernel build reads Kbuild;
# this directory is the LSM's directory in a kernel tree.)
#
# Each target is a script or two; they keep what they make in the cache and do
# nothing when it is up to date, so nothing is decided here.

.DEFAULT_GOAL := help

# Given on make's command line, these are meant for the scripts.
export DIGEST_CACHE_BUILD KERNEL_SRC KERNEL_VERSION KERNEL_SHA256 KERNEL_SUITES KERNEL_MIRROR
export DEBIAN_SUITE DEBIAN_MIRROR JOBS QUICK
# What is not given must not reach them as empty.
$(foreach v,DIGEST_CACHE_BUILD KERNEL_SRC KERNEL_VERSION KERNEL_SHA256 KERNEL_SUITES \
	KERNEL_MIRROR DEBIAN_SUITE DEBIAN_MIRROR JOBS QUICK,$(if $($(v)),,$(eval unexport $(v))))

# The scripts' own makes are not part of this one.
unexport MAKEFLAGS MFLAGS

.PHONY: help setup kernel um tools run shell test test-debug check bench series clean distclean
.NOTPARALLEL:

help: ## this text
	@echo 'Targets:'
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables (make test SUITES="10-harness 30-tools"):'
	@echo '  DIGEST_CACHE_BUILD=DIR   the cache, by default below ~/.cache'
	@echo '  KERNEL_SRC=DIR           a kernel tree to use instead of fetching one'
	@echo '  KERNEL_SHA256=SUM        fetch the tarball from kernel.org and check it with this'
	@echo '  KERNEL_MIRROR=URL        Debian mirror for the kernel source, by default that of APT'
	@echo '  JOBS=N                   parallel jobs, by default one for each CPU'
	@echo '  QUICK=1                  for make bench: fewer rounds, in some minutes'
	@echo '  SUITES="NAME..."         for make test: suites in tests/suites/, by default all;'
	@echo '                           for make test-debug: suites in tests/suites-debug/'

setup: ## install what is missing (Debian 12 and 13; explains elsewhere)
	@scripts/setup

kernel: setup ## build the x86_64 kernel
	@scripts/kernel-build x86_64

um: setup ## build the User Mode Linux kernel
	@scripts/kernel-build um

tools: setup ## build the digest-list command
	@scripts/tools-build

run: kernel tools ## boot a Debian system under enforcement and check it
	@scripts/run

shell: kernel tools ## a root shell in that system
	@scripts/shell

test: setup ## everything automatic
	@tests/run $(SUITES)

# Kernels that check themselves take longer, to build and when emulated.
test-debug: setup ## KUnit and the selftest under kernels that check themselves
	@TEST_SUITES='$(CURDIR)/tests/suites-debug' TEST_SUITE_LIMIT=$${TEST_SUITE_LIMIT:-9000} tests/run $(SUITES)

check: setup ## what needs no kernel: scripts, formats, tools
	@tests/run 10-harness 20-format 30-tools

bench: ## measure, beside the textbook structure; QUICK=1 for a look
	@bench/run

series: setup ## make the patch series for submission and check it
	@scripts/series

clean: ## remove what was built, keep downloads and tools
	@scripts/clean

distclean: ## remove the whole cache
	@scripts/clean --all
