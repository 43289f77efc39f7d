/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"

struct vmt_arena;
struct vmt_model;
struct vmt_sample;

/* Orders of the buddy allocator; architectures have up to 14 or so (NR_PAGE_ORDERS). */
#define VMT_ORDERS_MAX 32

/*
 * What was read about nodes and zones: rows with what the files say, and nothing that follows from
 * it. Arrays and texts are the arena's of the sample; what was not asked for is empty.
 */
struct vmt_zone_sample {
	struct vmt_zone_row *zones; /* in the order of zoneinfo: by node, from low to high */
	size_t n_zones;
	struct vmt_cpu_list *cpu_lists;
	size_t n_cpu_lists;
	struct vmt_order *orders; /* in the order of buddyinfo; those of a zone are together */
	size_t n_orders;
	struct vmt_migrate *types;
	size_t n_types;
	struct vmt_node *nodes; /* of zones, by number */
	size_t n_nodes;
	struct vmt_region *regions; /* in order of address; what lies in one follows it */
	size_t n_regions;
	struct vmt_compaction compaction;
};

/* The zone of that name in a node, or NULL. */
struct vmt_zone_row *vmt_zone_find(const struct vmt_zone_sample *z, uint64_t node,
				   struct vmt_bytes name);

/*
 * unusable_free_index() and fragmentation_index() of the kernel's mm/vmstat.c, in thousandths, for
 * a block of 2^order pages where there are blocks[i] free blocks of order i, n orders in all.
 * False where the sums do not fit.
 */
bool vmt_unusable_index(const uint64_t *blocks, size_t n, unsigned order, int64_t *ret);
bool vmt_fragmentation_index(const uint64_t *blocks, size_t n, unsigned order, int64_t *ret);

/*
 * Fills the zones, orders, nodes, cpu_lists, regions and so on of m from its sample: the next
 * watermarks and how far they are, indices, sums of nodes and of classes of ranges; with prev, an
 * earlier sample of the same boot dt_ns before, the rates. -ENOMEM.
 */
int vmt_model_zones(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns);
/*
 * What a zone keeps back, in the unit of the arguments: calculate_totalreserve_pages() of
 * mm/page_alloc.c, for one zone. protection is its largest.
 */
uint64_t vmt_zone_reserve(uint64_t managed, uint64_t high, uint64_t boost, uint64_t protection);
