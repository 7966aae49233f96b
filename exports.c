// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exports the client API to modules.
 *
 * The functions are written in Rust (capi.rs), which has no EXPORT_SYMBOL.
 */
#include <linux/digest_cache.h>
#include <linux/export.h>

EXPORT_SYMBOL_GPL(digest_cache_get);
EXPORT_SYMBOL_GPL(digest_cache_put);
EXPORT_SYMBOL_GPL(digest_cache_lookup);
EXPORT_SYMBOL_GPL(digest_cache_id);
EXPORT_SYMBOL_GPL(digest_cache_algos);
EXPORT_SYMBOL_GPL(digest_cache_opened_fd);
EXPORT_SYMBOL_GPL(digest_cache_verif_set);
EXPORT_SYMBOL_GPL(digest_cache_verif_get);
EXPORT_SYMBOL_GPL(digest_cache_register_notifier);
EXPORT_SYMBOL_GPL(digest_cache_unregister_notifier);
EXPORT_SYMBOL_GPL(digest_cache_register_parser);
EXPORT_SYMBOL_GPL(digest_cache_unregister_parser);
EXPORT_SYMBOL_GPL(digest_cache_htable_init);
EXPORT_SYMBOL_GPL(digest_cache_htable_add);
EXPORT_SYMBOL_GPL(digest_cache_htable_lookup);
