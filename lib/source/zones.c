/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/zones.h"

#include <errno.h>

#include "base/parse.h"
#include "source/kv.h"
#include "source/lines.h"

static bool take_literal(struct vmt_bytes *cur, const char *word)
{
	size_t n = strlen(word);

	if (!vmt_bytes_starts(*cur, word))
		return false;
	cur->ptr += n;
	cur->len -= n;
	return true;
}

/* "Node 0, zone   Normal", as all of these files begin a line; what follows is left. */
static int take_zone(struct vmt_bytes *line, uint64_t *ret_node, struct vmt_bytes *ret_zone)
{
	size_t n = 0;
	int r;

	if (!take_literal(line, "Node "))
		return -EINVAL;
	vmt_take_blanks(line);
	r = vmt_take_u64(line, ret_node);
	if (r < 0)
		return r;
	if (!take_literal(line, ", zone"))
		return -EINVAL;
	vmt_take_blanks(line);
	while (n < line->len && !vmt_is_blank(line->ptr[n]) && line->ptr[n] != ',')
		n++;
	if (n == 0)
		return -EINVAL;
	*ret_zone = (struct vmt_bytes){ line->ptr, n };
	line->ptr += n;
	line->len -= n;
	return 0;
}

/* A number and nothing behind it but blanks. */
static int take_last(struct vmt_bytes *line, uint64_t *ret)
{
	int r;

	vmt_take_blanks(line);
	r = vmt_take_u64(line, ret);
	if (r < 0)
		return r;
	vmt_take_blanks(line);
	return line->len ? -EINVAL : 0;
}

/* Where a key's pages go, in bytes. */
struct page_key {
	const char *name;
	unsigned index;
	size_t offset;
};

#define PAGES(entity, strct, member, key)                                                          \
	{                                                                                          \
		(key), VMT_FIELD_##entity##_##member, offsetof(struct strct, member)               \
	}

static const struct page_key *find_key(const struct page_key *keys, size_t n, struct vmt_bytes key)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vmt_bytes_is(key, keys[i].name))
			return &keys[i];
	return NULL;
}

static int take_pages(struct vmt_bytes line, const struct page_key *key, uint64_t page_size,
		      void *row)
{
	uint64_t v;
	int r = take_last(&line, &v);

	if (r < 0)
		return r;
	if (__builtin_mul_overflow(v, page_size, &v))
		return -ERANGE;
	memcpy((char *)row + key->offset, &v, sizeof(v));
	vmt_row_mark(row, key->index);
	return 0;
}

static const struct page_key zone_keys[] = {
	PAGES(zone, vmt_zone_row, free_bytes, "free"),
	PAGES(zone, vmt_zone_row, boost_bytes, "boost"),
	PAGES(zone, vmt_zone_row, min_bytes, "min"),
	PAGES(zone, vmt_zone_row, low_bytes, "low"),
	PAGES(zone, vmt_zone_row, high_bytes, "high"),
	PAGES(zone, vmt_zone_row, promo_bytes, "promo"),
	PAGES(zone, vmt_zone_row, spanned_bytes, "spanned"),
	PAGES(zone, vmt_zone_row, present_bytes, "present"),
	PAGES(zone, vmt_zone_row, managed_bytes, "managed"),
	PAGES(zone, vmt_zone_row, cma_bytes, "cma"),
	PAGES(zone, vmt_zone_row, start, "start_pfn:"),
};

static const struct page_key cpu_keys[] = {
	PAGES(cpu_list, vmt_cpu_list, held_bytes, "count:"),
	PAGES(cpu_list, vmt_cpu_list, high_bytes, "high:"),
	PAGES(cpu_list, vmt_cpu_list, batch_bytes, "batch:"),
	PAGES(cpu_list, vmt_cpu_list, high_min_bytes, "high_min:"),
	PAGES(cpu_list, vmt_cpu_list, high_max_bytes, "high_max:"),
};

struct zone_parser {
	struct vmt_arena *arena;
	uint64_t page_size;
	struct vmt_zone_sample z; /* so far */
	struct vmt_zone_row *zone; /* the one that lines are of, or NULL */
	struct vmt_cpu_list *cpu; /* the processor of it, or NULL */
	bool stats; /* in its per-node stats, whose names are their own */
};

/* "(0, 2929, 64277, 64277)": one for each zone that a request may go up to. */
static int take_protection(struct zone_parser *p, struct vmt_bytes text)
{
	struct vmt_bytes list;
	uint64_t max = 0, v;
	int r;

	vmt_take_blanks(&text);
	if (vmt_take_char(&text, '(') < 0)
		return -EINVAL;
	list = text;
	for (;;) {
		vmt_take_blanks(&text);
		r = vmt_take_u64(&text, &v);
		if (r < 0)
			return r;
		max = v > max ? v : max;
		if (vmt_take_char(&text, ',') < 0)
			break;
	}
	list.len = (size_t)(text.ptr - list.ptr);
	if (vmt_take_char(&text, ')') < 0 || text.len)
		return -EINVAL;
	if (__builtin_mul_overflow(max, p->page_size, &max))
		return -ERANGE;
	VMT_SET(zone, protection_bytes, p->zone, max);
	r = vmt_bytes_keep(p->arena, list, NULL, &list);
	if (r == 0)
		VMT_SET(zone, protection_list, p->zone, list);
	return r;
}

static int zone_begin(struct zone_parser *p, struct vmt_bytes line)
{
	struct vmt_node *last = p->z.n_nodes ? &p->z.nodes[p->z.n_nodes - 1] : NULL;
	struct vmt_zone_row *zone = &p->z.zones[p->z.n_zones++];
	struct vmt_bytes name;
	uint64_t node;
	int r = take_zone(&line, &node, &name);

	if (r < 0)
		return r;
	vmt_take_blanks(&line);
	if (line.len)
		return -EINVAL;
	r = vmt_bytes_keep(p->arena, name, NULL, &name);
	if (r < 0)
		return r;
	VMT_SET(zone, node, zone, node);
	VMT_SET(zone, zone, zone, name);
	p->zone = zone;
	p->cpu = NULL;
	p->stats = false;
	if (!last || last->node != node) {
		struct vmt_node *n = &p->z.nodes[p->z.n_nodes++];

		VMT_SET(node, node, n, node);
	}
	return 0;
}

static int cpu_begin(struct zone_parser *p, struct vmt_bytes line)
{
	struct vmt_cpu_list *cpu = &p->z.cpu_lists[p->z.n_cpu_lists++];
	uint64_t number;
	int r = take_last(&line, &number);

	if (r < 0)
		return r;
	VMT_SET(cpu_list, node, cpu, p->zone->node);
	VMT_SET(cpu_list, zone, cpu, p->zone->zone);
	VMT_SET(cpu_list, cpu, cpu, number);
	p->cpu = cpu;
	return 0;
}

static int zone_line(struct zone_parser *p, struct vmt_bytes line)
{
	const struct page_key *key;
	struct vmt_bytes word;

	vmt_take_blanks(&line);
	word = vmt_take_word(&line);
	if (vmt_bytes_is(word, "per-node")) {
		p->stats = true;
		return 0;
	}
	/* A list's line begins with the word, as they were counted so. */
	if (!p->stats && vmt_bytes_is(word, "cpu:"))
		return cpu_begin(p, line);
	/* "pages free 3840", the first of a zone's own. */
	if (vmt_bytes_is(word, "pages")) {
		p->stats = false;
		vmt_take_blanks(&line);
		word = vmt_take_word(&line);
	}
	if (p->stats)
		return 0;
	if (vmt_bytes_is(word, "protection:"))
		return take_protection(p, line);
	if (p->cpu) {
		key = find_key(cpu_keys, VMT_ARRAY_LEN(cpu_keys), word);
		if (key)
			return take_pages(line, key, p->page_size, p->cpu);
	}
	key = find_key(zone_keys, VMT_ARRAY_LEN(zone_keys), word);
	return key ? take_pages(line, key, p->page_size, p->zone) : 0;
}

#define SUM(to, from)                                                                              \
	do {                                                                                       \
		uint64_t sum_ = VMT_HAS(zone, to, zone) ? zone->to : 0;                            \
		if (!VMT_HAS(cpu_list, from, cpu))                                                 \
			break;                                                                     \
		if (__builtin_add_overflow(sum_, cpu->from, &sum_))                                \
			return -ERANGE;                                                            \
		VMT_SET(zone, to, zone, sum_);                                                     \
	} while (0)

/* What follows from the lines of a zone alone: sums over its processors, and its end. */
static int zone_sums(struct vmt_zone_sample *z)
{
	struct vmt_zone_row *zone;
	size_t i;

	for (i = 0; i < z->n_cpu_lists; i++) {
		const struct vmt_cpu_list *cpu = &z->cpu_lists[i];

		zone = vmt_zone_find(z, cpu->node, cpu->zone);
		if (!zone)
			continue;
		SUM(pcp_bytes, held_bytes);
		SUM(pcp_high_bytes, high_bytes);
	}
	for (i = 0; i < z->n_zones; i++) {
		uint64_t end;

		zone = &z->zones[i];
		/* A zone without frames begins nowhere, whatever the file says. */
		if (!VMT_HAS(zone, start, zone) || !VMT_HAS(zone, spanned_bytes, zone) ||
		    zone->spanned_bytes == 0) {
			VMT_UNSET(zone, start, zone);
			continue;
		}
		if (__builtin_add_overflow(zone->start, zone->spanned_bytes, &end))
			return -ERANGE;
		VMT_SET(zone, end, zone, end);
	}
	return 0;
}

int vmt_zone_rows_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			struct vmt_zone_sample *z, struct vmt_err *err)
{
	static const char path[] = "/proc/zoneinfo";
	struct zone_parser p = { .arena = arena, .page_size = page_size, .z = *z };
	size_t zones = vmt_count_lines(text, "Node "), cpus = vmt_count_lines(text, "cpu:");
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r;

	p.z.zones = vmt_arena_alloc(arena, zones, sizeof(*p.z.zones));
	p.z.nodes = vmt_arena_alloc(arena, zones, sizeof(*p.z.nodes));
	p.z.cpu_lists = vmt_arena_alloc(arena, cpus, sizeof(*p.z.cpu_lists));
	p.z.n_zones = p.z.n_nodes = p.z.n_cpu_lists = 0;
	r = p.z.zones && p.z.nodes && p.z.cpu_lists ? 0 : -ENOMEM;
	while (r == 0 && vmt_take_line(&text, &line)) {
		lineno++;
		if (vmt_bytes_starts(line, "Node "))
			r = zone_begin(&p, line);
		else if (p.zone)
			r = zone_line(&p, line);
		else if (line.len)
			r = -EINVAL;
	}
	if (r == 0)
		r = zone_sums(&p.z);
	if (r < 0)
		return vmt_malformed_line(err, r, path, lineno);
	*z = p.z;
	return 0;
}

static int add_to(uint64_t *sum, bool known, uint64_t v)
{
	return known && __builtin_add_overflow(*sum, v, sum) ? -ERANGE : 0;
}

int vmt_zones_sum(const struct vmt_zone_sample *z, struct vmt_system *sys, struct vmt_err *err)
{
	uint64_t low = 0, managed = 0, reserve = 0, pcp = 0;
	size_t i, n = 0;
	int r = 0;

	for (i = 0; r == 0 && i < z->n_zones; i++) {
		const struct vmt_zone_row *zone = &z->zones[i];
		uint64_t boost = VMT_HAS(zone, boost_bytes, zone) ? zone->boost_bytes : 0;

		if (!VMT_HAS(zone, managed_bytes, zone) || !VMT_HAS(zone, low_bytes, zone) ||
		    !VMT_HAS(zone, high_bytes, zone) || !VMT_HAS(zone, protection_bytes, zone))
			continue;
		n++;
		r = add_to(&low, true, zone->low_bytes);
		r = r ?: add_to(&managed, true, zone->managed_bytes);
		r = r ?: add_to(&pcp, VMT_HAS(zone, pcp_bytes, zone), zone->pcp_bytes);
		r = r
			    ?: add_to(&reserve, true,
				      vmt_zone_reserve(zone->managed_bytes, zone->high_bytes, boost,
						       zone->protection_bytes));
	}
	if (r < 0)
		return vmt_err_set(err, r, "/proc/zoneinfo", 0,
				   "the sum over the zones is too large");
	if (n == 0)
		return 0;
	VMT_SET(system, low_bytes, sys, low);
	VMT_SET(system, managed_bytes, sys, managed);
	VMT_SET(system, reserve_bytes, sys, reserve);
	VMT_SET(system, pcp_bytes, sys, pcp);
	return 0;
}

/* Numbers with blanks between them, to the end of the line; what a list ends at is marked by cut,
 * where that is allowed. */
struct counts {
	uint64_t v[VMT_ORDERS_MAX];
	bool cut[VMT_ORDERS_MAX]; /* ">100000": the kernel counted no further */
	size_t n;
};

static int take_counts(struct vmt_bytes line, bool may_be_cut, struct counts *c)
{
	c->n = 0;
	vmt_take_blanks(&line);
	while (line.len) {
		int r;

		if (c->n == VMT_ORDERS_MAX)
			return -EINVAL;
		c->cut[c->n] = may_be_cut && vmt_take_char(&line, '>') == 0;
		r = vmt_take_u64(&line, &c->v[c->n]);
		if (r < 0)
			return r;
		if (line.len && !vmt_is_blank(line.ptr[0]))
			return -EINVAL;
		vmt_take_blanks(&line);
		c->n++;
	}
	return c->n ? 0 : -EINVAL;
}

/* "4213 2911 >100000" */
static int counts_text(const struct counts *c, struct vmt_arena *arena, struct vmt_bytes *ret)
{
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (i)
			vmt_buf_addc(&text, ' ');
		if (c->cut[i])
			vmt_buf_addc(&text, '>');
		vmt_buf_addu(&text, c->v[i]);
	}
	if (vmt_buf_error(&text) < 0)
		return -ENOMEM;
	return vmt_bytes_keep(arena, (struct vmt_bytes){ text.data, text.len }, NULL, ret);
}

/* A line of buddyinfo: its orders become rows. */
static int buddy_line(struct vmt_bytes line, uint64_t page_size, struct vmt_arena *arena,
		      struct vmt_zone_sample *z)
{
	struct vmt_bytes name;
	struct counts c;
	uint64_t node, block;
	size_t i;
	int r = take_zone(&line, &node, &name);

	if (r == 0)
		r = take_counts(line, false, &c);
	if (r == 0)
		r = vmt_bytes_keep(arena, name, NULL, &name);
	if (r < 0)
		return r;
	for (i = 0; i < c.n; i++) {
		struct vmt_order *o = &z->orders[z->n_orders++];

		if (__builtin_mul_overflow(page_size, UINT64_C(1) << i, &block))
			return -ERANGE;
		VMT_SET(order, node, o, node);
		VMT_SET(order, zone, o, name);
		VMT_SET(order, order, o, i);
		VMT_SET(order, block_bytes, o, block);
		VMT_SET(order, free_blocks, o, c.v[i]);
	}
	return 0;
}

int vmt_buddyinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			struct vmt_zone_sample *z, struct vmt_err *err)
{
	size_t lines = vmt_count_lines(text, "Node ");
	struct vmt_zone_sample all = *z;
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r;

	all.orders = vmt_arena_alloc(arena, lines, VMT_ORDERS_MAX * sizeof(*all.orders));
	all.n_orders = 0;
	r = all.orders ? 0 : -ENOMEM;
	while (r == 0 && vmt_take_line(&text, &line)) {
		lineno++;
		r = buddy_line(line, page_size, arena, &all);
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/buddyinfo", lineno);
	*z = all;
	return 0;
}

/* What the lines of pagetypeinfo are of; the file has all of it for each node. */
enum type_part {
	PART_HEAD,
	PART_FREE,
	PART_BLOCKS,
	PART_MIXED,
};

struct type_parser {
	struct vmt_arena *arena;
	uint64_t page_size;
	struct vmt_zone_sample z;
	enum type_part part;
	uint64_t block_bytes; /* of a page block; 0 while it is not known */
	struct vmt_bytes titles; /* of the columns of PART_BLOCKS and PART_MIXED */
};

static int free_line(struct type_parser *p, struct vmt_bytes line)
{
	struct vmt_migrate *t = &p->z.types[p->z.n_types];
	struct vmt_bytes name, type, text;
	uint64_t node, sum = 0;
	struct counts c;
	bool cut = false;
	size_t i;
	int r = take_zone(&line, &node, &name);

	if (r < 0)
		return r;
	if (!take_literal(&line, ", type"))
		return -EINVAL;
	vmt_take_blanks(&line);
	type = vmt_take_word(&line);
	if (type.len == 0)
		return -EINVAL;
	r = take_counts(line, true, &c);
	if (r == 0)
		r = vmt_bytes_keep(p->arena, name, NULL, &name);
	if (r == 0)
		r = vmt_bytes_keep(p->arena, type, NULL, &type);
	if (r == 0)
		r = counts_text(&c, p->arena, &text);
	if (r < 0)
		return r;
	for (i = 0; i < c.n; i++) {
		uint64_t bytes;

		if (__builtin_mul_overflow(p->page_size, UINT64_C(1) << i, &bytes) ||
		    __builtin_mul_overflow(bytes, c.v[i], &bytes) ||
		    __builtin_add_overflow(sum, bytes, &sum))
			return -ERANGE;
		cut |= c.cut[i];
		if (c.v[i])
			VMT_SET(migrate, largest_order, t, i);
	}
	p->z.n_types++;
	VMT_SET(migrate, node, t, node);
	VMT_SET(migrate, zone, t, name);
	VMT_SET(migrate, type, t, type);
	VMT_SET(migrate, free_blocks, t, text);
	VMT_SET(migrate, free_at_least_bytes, t, sum);
	if (!cut)
		VMT_SET(migrate, free_bytes, t, sum);
	return 0;
}

static struct vmt_migrate *find_type(struct vmt_zone_sample *z, uint64_t node,
				     struct vmt_bytes zone, struct vmt_bytes type)
{
	size_t i;

	for (i = 0; i < z->n_types; i++)
		if (z->types[i].node == node && vmt_bytes_equal(z->types[i].zone, zone) &&
		    vmt_bytes_equal(z->types[i].type, type))
			return &z->types[i];
	return NULL;
}

/* "Node 0, zone   Normal   267   6007 ...", a number below each title. */
static int blocks_line(struct type_parser *p, struct vmt_bytes line)
{
	struct vmt_bytes titles = p->titles, name;
	struct counts c;
	uint64_t node, bytes;
	size_t i;
	int r = take_zone(&line, &node, &name);

	if (r == 0)
		r = take_counts(line, false, &c);
	if (r < 0)
		return r;
	for (i = 0; i < c.n; i++) {
		struct vmt_bytes type;
		struct vmt_migrate *t;

		vmt_take_blanks(&titles);
		type = vmt_take_word(&titles);
		if (type.len == 0)
			return -EINVAL;
		t = find_type(&p->z, node, name, type);
		if (!t)
			continue;
		if (p->part == PART_MIXED) {
			VMT_SET(migrate, mixed_blocks, t, c.v[i]);
			continue;
		}
		VMT_SET(migrate, blocks, t, c.v[i]);
		if (!p->block_bytes)
			continue;
		if (__builtin_mul_overflow(c.v[i], p->block_bytes, &bytes))
			return -ERANGE;
		VMT_SET(migrate, blocks_bytes, t, bytes);
	}
	return 0;
}

static int type_line(struct type_parser *p, struct vmt_bytes line)
{
	uint64_t v;

	if (line.len == 0)
		return 0;
	if (vmt_bytes_starts(line, "Node ")) {
		if (p->part == PART_FREE)
			return free_line(p, line);
		return p->part == PART_HEAD ? -EINVAL : blocks_line(p, line);
	}
	if (take_literal(&line, "Pages per block:")) {
		int r = take_last(&line, &v);

		if (r == 0 && __builtin_mul_overflow(v, p->page_size, &p->block_bytes))
			r = -ERANGE;
		return r;
	}
	if (vmt_bytes_starts(line, "Free pages count"))
		p->part = PART_FREE;
	else if (take_literal(&line, "Number of blocks type"))
		p->part = PART_BLOCKS;
	else if (take_literal(&line, "Number of mixed blocks"))
		p->part = PART_MIXED;
	p->titles = line;
	return 0;
}

int vmt_pagetypeinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			   struct vmt_zone_sample *z, struct vmt_err *err)
{
	struct type_parser p = { .arena = arena, .page_size = page_size, .z = *z };
	size_t lines = vmt_count_lines(text, "Node ");
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r;

	p.z.types = vmt_arena_alloc(arena, lines, sizeof(*p.z.types));
	p.z.n_types = 0;
	r = p.z.types ? 0 : -ENOMEM;
	while (r == 0 && vmt_take_line(&text, &line)) {
		lineno++;
		r = type_line(&p, line);
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/pagetypeinfo", lineno);
	*z = p.z;
	return 0;
}

#define EVENTS(member, key) VMT_KV(compaction, vmt_compaction, member, key, COUNT)

static const struct vmt_kv_key compaction_keys[] = {
	EVENTS(low_hit_quickly_total, "kswapd_low_wmark_hit_quickly"),
	EVENTS(high_hit_quickly_total, "kswapd_high_wmark_hit_quickly"),
	EVENTS(kswapd_runs_total, "pageoutrun"),
	EVENTS(migrate_scanned_pages, "compact_migrate_scanned"),
	EVENTS(free_scanned_pages, "compact_free_scanned"),
	EVENTS(isolated_pages, "compact_isolated"),
	EVENTS(stalls_total, "compact_stall"),
	EVENTS(fail_total, "compact_fail"),
	EVENTS(success_total, "compact_success"),
	EVENTS(daemon_wakes_total, "compact_daemon_wake"),
	EVENTS(daemon_migrate_scanned_pages, "compact_daemon_migrate_scanned"),
	EVENTS(daemon_free_scanned_pages, "compact_daemon_free_scanned"),
};

int vmt_compaction_parse(struct vmt_bytes text, struct vmt_zone_sample *z, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { compaction_keys,
						   VMT_ARRAY_LEN(compaction_keys) };
	struct vmt_compaction c = { 0 };
	int r = vmt_kv_read(&table, text, ' ', &c.row, NULL, "/proc/vmstat", err);

	if (r == 0)
		z->compaction = c;
	return r;
}

#define KIB(member, key) VMT_KV(node, vmt_node, member, key, KIB)

static const struct vmt_kv_key node_keys[] = {
	KIB(total_bytes, "MemTotal"), VMT_KV_IGNORE("MemFree"),	    KIB(used_bytes, "MemUsed"),
	KIB(file_bytes, "FilePages"), KIB(anon_bytes, "AnonPages"), KIB(shmem_bytes, "Shmem"),
	KIB(slab_bytes, "Slab"),
};

int vmt_node_meminfo_parse(struct vmt_bytes text, struct vmt_node *node, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { node_keys, VMT_ARRAY_LEN(node_keys) };
	struct vmt_node n = *node;
	struct vmt_bytes line;
	unsigned lineno = 0;
	size_t hint = 0;

	while (vmt_take_line(&text, &line)) {
		const struct vmt_kv_key *known;
		struct vmt_bytes key, rest;
		uint64_t number;
		int r = -EINVAL;

		lineno++;
		if (take_literal(&line, "Node ") && vmt_take_u64(&line, &number) == 0 &&
		    vmt_take_blanks(&line))
			r = vmt_kv_split(line, ':', &key, &rest);
		if (r < 0)
			return vmt_malformed_line(err, r, "meminfo", lineno);
		known = vmt_kv_find(&table, key, &hint);
		r = known ? vmt_kv_store(known, rest, &n.row) : 0;
		if (r < 0)
			return vmt_malformed_line(err, r, "meminfo", lineno);
	}
	*node = n;
	return 0;
}
