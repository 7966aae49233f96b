# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A serial line does not tell the size of the terminal at its other end: who
# started the machine did, on the kernel's command line.
size=$(sed -n 's/.*\bconsole_size=\([0-9]*x[0-9]*\).*/\1/p' /proc/cmdline)
if [ -n "$size" ] && [ "$(tty)" = /dev/ttyS0 ]; then
	stty rows "${size%x*}" columns "${size#*x}"
fi
unset size
