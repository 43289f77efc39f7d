/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/history.h"

#include <stdlib.h>

#include "cmd/ui/figure.h"

/* A subject: a ring of its last figures. Those of an entry are without a break, for one that does
 * not come again is forgotten. */
struct entry {
	uint64_t key, key2;
	uint64_t first, last; /* samples that it has figures of */
	/* For pictures of eight heights; half the room of 64 bits. */
	float values[VMT_HISTORY_SAMPLES];
};

struct vmt_history {
	uint64_t now; /* samples so far */
	struct entry *entries; /* heap */
	size_t n, cap;
	/* Where they are, by their keys: index + 1, or 0. A power of two, at most half of it used.
	 */
	uint32_t *slots; /* heap */
	size_t n_slots;
};

int vmt_history_new(struct vmt_history **ret)
{
	struct vmt_history *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	*ret = h;
	return 0;
}

void vmt_history_free(struct vmt_history *h)
{
	if (!h)
		return;
	free(h->entries);
	free(h->slots);
	free(h);
}

void vmt_history_clear(struct vmt_history *h)
{
	h->n = 0;
	if (h->n_slots)
		memset(h->slots, 0, h->n_slots * sizeof(*h->slots));
}

static size_t hash(uint64_t key, uint64_t key2)
{
	uint64_t x = (key ^ key2 * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);

	return (size_t)(x ^ x >> 32);
}

/* The slot that has the keys, or the free one where they would go. */
static uint32_t *find(const struct vmt_history *h, uint64_t key, uint64_t key2)
{
	size_t i = hash(key, key2) & (h->n_slots - 1);

	while (h->slots[i]) {
		const struct entry *e = &h->entries[h->slots[i] - 1];

		if (e->key == key && e->key2 == key2)
			break;
		i = (i + 1) & (h->n_slots - 1);
	}
	return &h->slots[i];
}

static void index_all(struct vmt_history *h)
{
	size_t i;

	for (i = 0; i < h->n_slots; i++)
		h->slots[i] = 0;
	for (i = 0; i < h->n; i++)
		*find(h, h->entries[i].key, h->entries[i].key2) = (uint32_t)(i + 1);
}

void vmt_history_tick(struct vmt_history *h)
{
	size_t i, kept = 0;

	for (i = 0; i < h->n; i++) {
		if (h->entries[i].last != h->now)
			continue;
		if (kept != i)
			h->entries[kept] = h->entries[i];
		kept++;
	}
	if (kept != h->n) {
		h->n = kept;
		index_all(h);
	}
	h->now++;
}

/* Room for one more. */
static int make_room(struct vmt_history *h)
{
	if (vmt_grow(&h->entries, &h->cap, h->n + 1, sizeof(*h->entries)) < 0)
		return -ENOMEM;
	if (h->n_slots >= 2 * (h->n + 1))
		return 0;
	if (h->n >= UINT32_MAX / 4)
		return -ENOMEM;
	if (vmt_grow(&h->slots, &h->n_slots, h->n_slots ? 2 * h->n_slots : 64, sizeof(*h->slots)) <
	    0)
		return -ENOMEM;
	index_all(h);
	return 0;
}

int vmt_history_add(struct vmt_history *h, uint64_t key, uint64_t key2, uint64_t value)
{
	uint32_t *slot = h->n_slots ? find(h, key, key2) : NULL;
	struct entry *e;

	if (!slot || !*slot) {
		if (make_room(h) < 0)
			return -ENOMEM;
		h->entries[h->n] = (struct entry){ .key = key, .key2 = key2, .first = h->now };
		*find(h, key, key2) = (uint32_t)++h->n;
		e = &h->entries[h->n - 1];
	} else {
		e = &h->entries[*slot - 1];
	}
	e->last = h->now;
	e->values[h->now % VMT_HISTORY_SAMPLES] = (float)value;
	return 0;
}

/* Whether there is a figure of i samples ago; *ret is it. */
static bool figure(const struct vmt_history *h, const struct entry *e, unsigned i, float *ret)
{
	uint64_t at = h->now - i;

	if (i >= VMT_HISTORY_SAMPLES || i > h->now || at < e->first || at > e->last)
		return false;
	*ret = e->values[at % VMT_HISTORY_SAMPLES];
	return true;
}

void vmt_history_draw(const struct vmt_history *h, uint64_t key, uint64_t key2,
		      struct vmt_canvas *c, unsigned y, unsigned x, unsigned n,
		      enum vmt_style style)
{
	const struct entry *e;
	float most = 0, v;
	uint32_t *slot = h->n_slots ? find(h, key, key2) : NULL;
	unsigned i;

	vmt_canvas_figure(c, y, x, n, &vmt_figure_history, NULL, 0);
	if (!slot || !*slot)
		return;
	e = &h->entries[*slot - 1];
	for (i = 0; i < n; i++)
		if (figure(h, e, i, &v) && v > most)
			most = v;
	for (i = 0; i < n; i++) {
		unsigned level = 0;

		if (!figure(h, e, i, &v))
			continue;
		/* The lowest of eight is nothing; what is something stands above it. */
		if (v > 0 && most > 0)
			level = 1 + (unsigned)(v / most * 6 + 0.5f);
		vmt_canvas_glyph(c, y, x + n - 1 - i, style,
				 (enum vmt_glyph)(VMT_GLYPH_LEVEL + (level < 7 ? level : 7)));
	}
}
