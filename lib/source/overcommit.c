/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/machine.h"
#include "source/root.h"

#define FILE_MAX ((size_t)256)

int vmt_setting_parse(struct vmt_bytes text, uint64_t *ret)
{
	struct vmt_bytes line, rest = text;
	uint64_t v;
	int r;

	if (!vmt_take_line(&rest, &line) || rest.len)
		return -EINVAL;
	vmt_take_blanks(&line);
	r = vmt_take_u64(&line, &v);
	if (r < 0)
		return r;
	vmt_take_blanks(&line);
	if (line.len)
		return -EINVAL;
	*ret = v;
	return 0;
}

int vmt_collect_overcommit(const struct vmt_root *root, struct vmt_sample *s)
{
#define SETTING(file, member, times)                                                               \
	{                                                                                          \
		"sys/vm/" file, VMT_FIELD_commit_##member, offsetof(struct vmt_commit, member),    \
			times                                                                      \
	}
	static const struct {
		const char *path;
		unsigned index;
		size_t offset;
		uint64_t unit;
	} settings[] = {
		SETTING("overcommit_memory", overcommit_memory, 1),
		SETTING("overcommit_ratio", overcommit_ratio, 1),
		SETTING("overcommit_kbytes", overcommit_bytes, 1024),
		SETTING("admin_reserve_kbytes", admin_reserve_bytes, 1024),
		SETTING("user_reserve_kbytes", user_reserve_bytes, 1024),
	};
#undef SETTING
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_OVERCOMMIT];
	struct vmt_meter m = vmt_meter_begin();
	VMT_AUTO_BUF buf = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(settings); i++) {
		struct vmt_err err = { 0 };
		int64_t got;
		uint64_t v = 0;
		int r;

		vmt_buf_clear(&buf);
		got = vmt_slurp_at(root->proc_fd, settings[i].path, &buf, FILE_MAX);
		r = got < 0 ? (int)got
			    : vmt_setting_parse((struct vmt_bytes){ buf.data, buf.len }, &v);
		if (r == 0 && __builtin_mul_overflow(v, settings[i].unit, &v))
			r = -ERANGE;
		if (r < 0) {
			vmt_err_set(&err, r, NULL, 0, "/proc/%s", settings[i].path);
			r = vmt_machine_failed(s, VMT_SOURCE_OVERCOMMIT, r, &err);
			if (r < 0)
				return r;
			continue;
		}
		st->reads++;
		st->bytes += (uint64_t)got;
		memcpy((char *)&s->commit + settings[i].offset, &v, sizeof(v));
		vmt_row_mark(&s->commit.row, settings[i].index);
	}
	vmt_meter_end(&m, st);
	return 0;
}
