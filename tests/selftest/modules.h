/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading and unloading modules. */
#ifndef _MODULES_H
#define _MODULES_H

/* Loads DIRECTORY/NAME.ko. Returns 0 or a negative error. */
int module_load(const char *directory, const char *name, const char *params);

/* Unloads a module, if it is not in use. Returns 0 or a negative error. */
int module_unload(const char *name);

/* Unloads a module, waiting for who still uses it. */
int module_unload_wait(const char *name);

#endif /* _MODULES_H */
