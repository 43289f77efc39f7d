/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/machine.h"
#include "source/root.h"

#define FILE_MAX ((size_t)4096)

/* "12.34" as thousandths. */
static int take_percent(struct vmt_bytes text, uint64_t *ret)
{
	uint64_t whole, part = 0;
	int r = vmt_take_u64(&text, &whole);

	/* The kernel prints two decimals, always. */
	if (r == 0 && (vmt_take_char(&text, '.') < 0 || text.len != 2 ||
		       vmt_take_u64(&text, &part) < 0 || text.len))
		r = -EINVAL;
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(whole, 1000, &whole) ||
	    __builtin_add_overflow(whole, part * 10, ret))
		return -ERANGE;
	return 0;
}

static int take_total(struct vmt_bytes text, uint64_t *ret_ns)
{
	uint64_t us;
	int r = vmt_take_u64(&text, &us);

	if (r == 0 && text.len)
		r = -EINVAL;
	if (r < 0)
		return r;
	return __builtin_mul_overflow(us, 1000, ret_ns) ? -ERANGE : 0;
}

/* One word "avg10=0.00"; a key that is not known is none of ours. */
static int take_value(struct vmt_pressure *p, struct vmt_bytes word)
{
	const char *at = memchr(word.ptr, '=', word.len);
	struct vmt_bytes key, value;
	uint64_t v;
	int r;

	if (!at)
		return -EINVAL;
	key = (struct vmt_bytes){ word.ptr, (size_t)(at - word.ptr) };
	value = (struct vmt_bytes){ at + 1, word.len - key.len - 1 };
	if (vmt_bytes_is(key, "total")) {
		r = take_total(value, &v);
		if (r == 0)
			VMT_SET(pressure, stalled_total_ns, p, v);
		return r;
	}
	if (!vmt_bytes_starts(key, "avg"))
		return 0;
	r = take_percent(value, &v);
	if (r < 0)
		return r;
	if (vmt_bytes_is(key, "avg10"))
		VMT_SET(pressure, avg10_percent, p, v);
	else if (vmt_bytes_is(key, "avg60"))
		VMT_SET(pressure, avg60_percent, p, v);
	else if (vmt_bytes_is(key, "avg300"))
		VMT_SET(pressure, avg300_percent, p, v);
	return 0;
}

int vmt_pressure_parse(struct vmt_bytes text, const char *resource, struct vmt_pressure rows[2],
		       size_t *ret_n, struct vmt_err *err)
{
	unsigned lineno = 0;
	struct vmt_bytes line;
	size_t n = 0;
	int r = 0;

	while (vmt_take_line(&text, &line)) {
		struct vmt_pressure p = { 0 };
		struct vmt_bytes word = vmt_take_word(&line);

		lineno++;
		if (vmt_bytes_is(word, "some"))
			VMT_SET(pressure, kind, &p, VMT_BYTES("some"));
		else if (vmt_bytes_is(word, "full"))
			VMT_SET(pressure, kind, &p, VMT_BYTES("full"));
		else
			continue;
		r = n == 2 ? -EINVAL : 0;
		while (r == 0) {
			vmt_take_blanks(&line);
			word = vmt_take_word(&line);
			if (!word.len)
				break;
			r = take_value(&p, word);
		}
		if (r < 0)
			return vmt_err_set(err, r, resource, lineno, "%s",
					   r == -ERANGE ? "the number is too large"
							: "this is no line of pressure");
		VMT_SET(pressure, resource, &p, vmt_bytes_of(resource));
		rows[n++] = p;
	}
	*ret_n = n;
	return 0;
}

int vmt_collect_pressure(const struct vmt_root *root, struct vmt_sample *s)
{
	static const struct {
		const char *path, *resource;
	} files[] = {
		{ "pressure/memory", "memory" },
		{ "pressure/io", "io" },
		{ "pressure/cpu", "cpu" },
	};
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_PRESSURE];
	struct vmt_meter m = vmt_meter_begin();
	VMT_AUTO_BUF buf = { 0 };
	size_t i, n = 0;

	s->pressure = vmt_arena_alloc(&s->arena, 2 * VMT_ARRAY_LEN(files), sizeof(*s->pressure));
	if (!s->pressure)
		return -ENOMEM;
	for (i = 0; i < VMT_ARRAY_LEN(files); i++) {
		struct vmt_err err = { 0 };
		int64_t got;
		int r;

		vmt_buf_clear(&buf);
		got = vmt_slurp_at(root->proc_fd, files[i].path, &buf, FILE_MAX);
		r = got < 0 ? (int)got
			    : vmt_pressure_parse((struct vmt_bytes){ buf.data, buf.len },
						 files[i].resource, s->pressure + s->n_pressure, &n,
						 &err);
		if (r == 0) {
			st->reads++;
			st->bytes += (uint64_t)got;
			s->n_pressure += n;
			continue;
		}
		/* Built in, and off (psi=0). */
		r = vmt_machine_failed(s, VMT_SOURCE_PRESSURE, r == -EOPNOTSUPP ? -ENOENT : r,
				       &err);
		if (r < 0)
			return r;
	}
	vmt_meter_end(&m, st);
	return 0;
}
