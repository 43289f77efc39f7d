/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"
#include "model/zone-sample.h"
#include "source/machine.h"

#define PATH "/proc/zoneinfo"

/* One zone; pages. */
struct zone {
	uint64_t low;
	uint64_t high;
	uint64_t boost; /* printed since Linux 5.14 or so; high contains it */
	uint64_t managed;
	uint64_t protection; /* the largest */
	uint64_t pcp; /* free pages on the lists of processors */
	bool has_low;
	bool has_high;
	bool has_managed;
	bool has_protection;
};

struct sums {
	uint64_t low;
	uint64_t managed;
	uint64_t reserve;
	uint64_t pcp;
	unsigned zones;
};

static int add(uint64_t *sum, uint64_t v)
{
	return __builtin_add_overflow(*sum, v, sum) ? -ERANGE : 0;
}

static int zone_end(const struct zone *z, struct sums *s)
{
	uint64_t reserve;
	int r;

	if (!z->has_managed || !z->has_low || !z->has_high || !z->has_protection)
		return 0;
	reserve = vmt_zone_reserve(z->managed, z->high, z->boost, z->protection);
	r = add(&s->low, z->low);
	if (r == 0)
		r = add(&s->managed, z->managed);
	if (r == 0)
		r = add(&s->reserve, reserve);
	if (r == 0)
		r = add(&s->pcp, z->pcp);
	s->zones++;
	return r;
}

/* "(0, 2929, 64277, 64277)" */
static int take_protection(struct vmt_bytes text, uint64_t *ret_max)
{
	uint64_t max = 0, v;
	int r;

	vmt_take_blanks(&text);
	r = vmt_take_char(&text, '(');
	while (r == 0) {
		vmt_take_blanks(&text);
		r = vmt_take_u64(&text, &v);
		if (r < 0)
			return r;
		if (v > max)
			max = v;
		if (vmt_take_char(&text, ',') < 0)
			break;
	}
	if (r < 0 || vmt_take_char(&text, ')') < 0)
		return -EINVAL;
	*ret_max = max;
	return 0;
}

/* A line of a zone. Its own values are "key value"; those of "pagesets" below it end in a colon, so
 * that the high of a zone is no high of a processor. */
static int zone_line(struct zone *z, struct vmt_bytes line)
{
	struct {
		const char *name;
		uint64_t *value;
		bool *has;
	} keys[] = {
		{ "low", &z->low, &z->has_low },
		{ "high", &z->high, &z->has_high },
		{ "boost", &z->boost, NULL },
		{ "managed", &z->managed, &z->has_managed },
	};
	struct vmt_bytes key;
	size_t i;
	int r;

	vmt_take_blanks(&line);
	key = vmt_take_word(&line);
	if (vmt_bytes_is(key, "protection:")) {
		r = take_protection(line, &z->protection);
		z->has_protection = r == 0;
		return r;
	}
	/* Of one processor, below "pagesets". */
	if (vmt_bytes_is(key, "count:")) {
		uint64_t v;

		vmt_take_blanks(&line);
		r = vmt_take_u64(&line, &v);
		return r < 0 ? r : add(&z->pcp, v);
	}
	for (i = 0; i < VMT_ARRAY_LEN(keys); i++) {
		if (!vmt_bytes_is(key, keys[i].name))
			continue;
		vmt_take_blanks(&line);
		r = vmt_take_u64(&line, keys[i].value);
		if (r < 0)
			return r;
		vmt_take_blanks(&line);
		if (line.len)
			return -EINVAL;
		if (keys[i].has)
			*keys[i].has = true;
		return 0;
	}
	return 0;
}

int vmt_zoneinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_system *sys,
		       struct vmt_err *err)
{
	struct zone z = { 0 };
	struct sums s = { 0 };
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r;

	while (vmt_take_line(&text, &line)) {
		lineno++;
		if (vmt_bytes_starts(line, "Node ")) {
			r = zone_end(&z, &s);
			z = (struct zone){ 0 };
		} else {
			r = zone_line(&z, line);
		}
		if (r < 0)
			return vmt_err_set(err, r, PATH, lineno, "%s",
					   r == -ERANGE ? "the number is too large"
							: "this is not a value of that key");
	}
	r = zone_end(&z, &s);
	if (r == 0 && (__builtin_mul_overflow(s.low, page_size, &s.low) ||
		       __builtin_mul_overflow(s.managed, page_size, &s.managed) ||
		       __builtin_mul_overflow(s.reserve, page_size, &s.reserve) ||
		       __builtin_mul_overflow(s.pcp, page_size, &s.pcp)))
		r = -ERANGE;
	if (r < 0)
		return vmt_err_set(err, r, PATH, 0, "the sum over the zones is too large");
	if (s.zones == 0)
		return 0;
	VMT_SET(system, low_bytes, sys, s.low);
	VMT_SET(system, managed_bytes, sys, s.managed);
	VMT_SET(system, reserve_bytes, sys, s.reserve);
	VMT_SET(system, pcp_bytes, sys, s.pcp);
	return 0;
}
