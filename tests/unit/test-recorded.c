/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording-setup.h"

#include "source/recording-private.h"
#include "view/sample-json.h"

/* What has changed is written in larger units, where it comes out even. */
static void numbers_are_brief(void **unused)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "\"free_pages\":0" },
		{ 8192, "\"free_pages\":2" },
		{ 8193, "\"free_bytes\":8193" },
		{ UINT64_MAX - 4095, "\"free_pages\":4503599627370495" },
		{ UINT64_MAX, "\"free_bytes\":18446744073709551615" },
	};
	struct vmt_sample *key = any_sample(0);
	struct vmt_sample_json *json;
	uint64_t unit;
	char name[64];
	size_t i;

	VMT_SET(system, free_bytes, &key->system, 77);
	assert_int_equal(vmt_sample_json_new(&json), 0);
	for (i = 0; i < VMT_ARRAY_LEN(sizes); i++) {
		VMT_AUTO_BUF lines = { 0 };
		VMT_AUTO_RECORDING rec = NULL;
		VMT_AUTO_SAMPLE s = NULL;
		VMT_AUTO_SAMPLE got = NULL;

		assert_int_equal(vmt_recorded_copy(key, &s), 0);
		s->host.monotonic_ns += SECOND;
		s->host.realtime_ns += SECOND;
		s->host.boottime_ns += SECOND;
		VMT_SET(system, free_bytes, &s->system, sizes[i].bytes);
		vmt_sample_json_header(&lines, key, "x", 0);
		vmt_sample_json_put(json, &lines, key, NULL, 0);
		assert_null(strstr(lines.data, "free_pages"));
		vmt_sample_json_put(json, &lines, s, key, 0);
		assert_non_null(strstr(lines.data, sizes[i].text));
		write_lines(lines.data);
		assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
		assert_int_equal(vmt_recording_sample(rec, 1, &got, NULL), 0);
		same_sample(s, got);
		assert_int_equal(got->system.free_bytes, sizes[i].bytes);
	}
	vmt_sample_json_free(json);
	vmt_sample_free(key);
	/* A name that is a field's own is that. */
	assert_null(vmt_recorded_brief(&vmt_entity_map, "file_pages", 4096, &unit));
	assert_false(vmt_recorded_brief_name(&vmt_entity_map,
					     &vmt_entity_map.fields[VMT_FIELD_map_file_bytes], name,
					     sizeof(name)));
	/* Nobody knows how large a page is. */
	assert_null(vmt_recorded_brief(&vmt_entity_system, "free_pages", 0, &unit));
	assert_null(vmt_recorded_brief(&vmt_entity_system, "_pages", 4096, &unit));
	assert_null(vmt_recorded_brief(&vmt_entity_system, "nothing_pages", 4096, &unit));
	assert_non_null(vmt_recorded_brief(&vmt_entity_pressure, "stalled_total_us", 0, &unit));
	assert_int_equal(unit, 1000);
}

/* Clocks that went on alike are not said; the others are. */
static void clocks_are_brief(void **unused)
{
	static const int64_t apart[] = { 0, 1999, -1999, 5000, -5000, 700 * (int64_t)SECOND };
	struct vmt_sample *s = any_sample(0);
	struct vmt_sample_json *json;
	size_t i;

	assert_int_equal(vmt_sample_json_new(&json), 0);
	for (i = 0; i < VMT_ARRAY_LEN(apart); i++) {
		VMT_AUTO_BUF lines = { 0 };
		VMT_AUTO_RECORDING rec = NULL;
		VMT_AUTO_SAMPLE now = NULL;
		VMT_AUTO_SAMPLE got = NULL;
		bool left_out = llabs(apart[i]) < 2000;
		size_t at;
		int64_t off;

		assert_int_equal(vmt_recorded_copy(s, &now), 0);
		now->host.realtime_ns += 10 * SECOND + 123456;
		now->host.monotonic_ns += 10 * SECOND + 123456 + (uint64_t)apart[i];
		now->host.boottime_ns += 10 * SECOND + 123456;
		vmt_sample_json_header(&lines, s, "x", 0);
		vmt_sample_json_put(json, &lines, s, NULL, 0);
		at = lines.len;
		vmt_sample_json_put(json, &lines, now, s, 0);
		write_lines(lines.data);
		assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
		assert_int_equal(vmt_recording_n(rec), 2);
		assert_true(vmt_recording_follows(rec, 1));
		assert_int_equal(vmt_recording_sample(rec, 1, &got, NULL), 0);
		assert_int_equal(got->host.realtime_ns, now->host.realtime_ns / 1000 * 1000);
		/* Digits behind the microsecond are none of any clock. */
		off = (int64_t)(got->host.monotonic_ns - now->host.monotonic_ns);
		assert_true(llabs(off) < (left_out ? 3000 : 1000));
		off = (int64_t)(got->host.boottime_ns - now->host.boottime_ns);
		assert_true(llabs(off) < 1000);
		assert_true(left_out == !strstr(lines.data + at, "monotonic_ns"));
	}
	vmt_sample_json_free(json);
	vmt_sample_free(s);
}

/* Lines without clocks that would be before their key sample, or behind the end of time. */
static void j04_clocks(void **unused)
{
	static const char *const times[] = { "4", "18446744073709551615" };
	char remark[256];
	bool damaged;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(times); i++) {
		VMT_AUTO_BUF lines = { 0 };

		vmt_buf_addf(&lines,
			     HEAD("2", "4096", "") SAMPLE(
				     "6", "") "{\"type\":\"sample\","
					      "\"realtime_ns\":%s,\"key_ns\":6,\"data\":{}}\n",
			     times[i]);
		write_lines(lines.data);
		assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 1);
		assert_true(damaged);
	}
	/* The first one has to say them. */
	write_lines(HEAD("2", "4096", "") "{\"type\":\"sample\",\"realtime_ns\":1,\"key_ns\":0,"
					  "\"data\":{}}\n");
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EBADMSG);
}

/* What a line of a recording is, however it is laid out. */
static void lines_of_any_form(void **unused)
{
	static const struct {
		const char *line;
		int r;
		enum vmt_recorded_type type;
	} cases[] = {
		{ "", -EBADMSG, 0 },
		{ "[]", -EBADMSG, 0 },
		{ "{}", -EBADMSG, 0 },
		{ "{\"type\":5}", -EBADMSG, 0 },
		{ "{\"type\":\"\"}", -EBADMSG, 0 },
		{ "{\"type\":\"rain\"}", 0, VMT_LINE_OTHER },
		{ "{\"type\":\"header\"}", 0, VMT_LINE_HEADER },
		{ "{\"type\":\"end\"}", -EBADMSG, 0 },
		{ "{\"type\":\"end\",\"realtime_ns\":5}", 0, VMT_LINE_END },
		{ "{\"type\":\"sample\"}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":0}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":-1}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":\"6\"}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":-5,\"key_ns\":6}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":x,\"key_ns\":6,\"data\":{}}", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":6,", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":6", -EBADMSG, 0 },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":6}", 0, VMT_LINE_SAMPLE },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":6 }", 0, VMT_LINE_SAMPLE },
		{ "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":6,\"data\":{}}", 0,
		  VMT_LINE_SAMPLE },
	};
	struct vmt_recorded_line l;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		if (vmt_recorded_line(vmt_bytes_of(cases[i].line), &l) != cases[i].r)
			fail_msg("%s", cases[i].line);
		if (cases[i].r == 0)
			assert_int_equal(l.type, cases[i].type);
		if (cases[i].r == 0 && l.type == VMT_LINE_SAMPLE) {
			assert_int_equal(l.realtime_ns, 5);
			assert_int_equal(l.key_ns, 6);
		}
	}
	/* One clock alone is taken as it is said. */
	assert_int_equal(
		vmt_recorded_line(VMT_BYTES("{\"type\":\"sample\",\"realtime_ns\":5,"
					    "\"monotonic_ns\":6,\"key_ns\":6,\"data\":{}}"),
				  &l),
		0);
	assert_int_equal(l.monotonic_ns, 6);
	assert_int_equal(l.boottime_ns, 0);
}

static void gaps_of_any_form(void **unused)
{
	struct vmt_recorded_line l;

	assert_int_equal(vmt_recorded_line(VMT_BYTES("{\"type\":\"gap\",\"realtime_ns\":5}"), &l),
			 0);
	assert_int_equal(l.type, VMT_LINE_GAP);
	assert_int_equal(l.duration_ns, 0);
	assert_string_equal(l.reason, "");
	assert_int_equal(vmt_recorded_line(VMT_BYTES("{\"type\":\"gap\",\"realtime_ns\":5,"
						     "\"duration_ns\":-7,\"reason\":\"clock\"}"),
					   &l),
			 0);
	assert_int_equal(l.duration_ns, -7);
	assert_string_equal(l.reason, "clock");
	/* Of a reason without end as much as there is room for. */
	assert_int_equal(
		vmt_recorded_line(VMT_BYTES("{\"type\":\"gap\",\"realtime_ns\":5,\"reason\":"
					    "\"0123456789012345678901234567890123456789\"}"),
				  &l),
		0);
	assert_string_equal(l.reason, "0123456789012345678901234567890");
}

static void heads_that_are_none(void **unused)
{
	static const char *const bad[] = {
		"[]",
		"{\"schema\":\"vmtop.recording\",\"version\":2}",
		"{\"schema\":\"vmtop.recording\",\"host\":{\"page_size_bytes\":4096}}",
		"{\"schema\":\"vmtop.maps\",\"version\":2,\"host\":{\"page_size_bytes\":4096}}",
		"{\"schema\":\"vmtop.recording\",\"version\":2,\"host\":5}",
		"{\"schema\":\"vmtop.recording\",\"version\":2,\"host\":{\"page_size_bytes\":256}}",
	};
	struct vmt_recorded_head h;
	struct vmt_arena a;
	size_t i;

	vmt_arena_init(&a);
	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		if (vmt_recorded_head(vmt_bytes_of(bad[i]), &a, &h) != -EBADMSG)
			fail_msg("%s", bad[i]);
	/* What a later version says of its pages is its own. */
	assert_int_equal(
		vmt_recorded_head(VMT_BYTES("{\"schema\":\"vmtop.recording\",\"version\":3,"
					    "\"interval_ns\":9,\"host\":{}}"),
				  &a, &h),
		0);
	assert_int_equal(h.version, 3);
	assert_int_equal(h.interval_ns, 9);
	assert_true(h.host.euid == VMT_EUID_UNKNOWN);
	vmt_arena_done(&a);
}

/* A key sample of this text behind its clocks; NULL with -EBADMSG. */
static struct vmt_sample *key_of(const char *members)
{
	struct vmt_sample *s = NULL;
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF line = { 0 };
	int r;

	vmt_buf_addf(&line, "{\"type\":\"sample\",\"realtime_ns\":5,\"key_ns\":6%s}", members);
	r = vmt_recorded_sample((struct vmt_bytes){ line.data, line.len }, NULL, &s, &err);
	if (r < 0) {
		assert_int_equal(r, -EBADMSG);
		assert_true(err.text[0]);
	}
	return s;
}

#define TWO ",\"data\":{\"processes\":[{\"pid\":1},{\"pid\":7}]"

static void samples_that_are_none(void **unused)
{
	static const char *const bad[] = {
		"",
		",\"data\":5,\"data\":null",
		TWO ",\"mappings\":5}",
		TWO ",\"mappings\":{\"1\":5}}",
		TWO ",\"mappings\":{\"1\":{\"new\":[]}}}",
		TWO ",\"mappings\":{\"1\":[{\"start\":5}]}}",
		TWO ",\"mappings\":{\"1\":[{\"path\":\"x\"}]}}",
		TWO ",\"mapping_status\":[]}",
		TWO ",\"mapping_status\":{\"1\":5}}",
		TWO ",\"mapping_status\":{\"7\":\"well\"}}",
		TWO "},\"sources\":{\"pids\":{}}",
		TWO "},\"sources\":{\"pids\":{\"status\":\"well\"}}",
		TWO "},\"sources\":{\"pids\":5}",
		",\"data\":{\"processes\":{\"new\":[]}}",
		",\"data\":{\"system\":5}",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		if (key_of(bad[i]))
			fail_msg("%s", bad[i]);
}

static void samples_with_more(void **unused)
{
	static char reason[400];
	VMT_AUTO_SAMPLE s = NULL;
	VMT_AUTO_SAMPLE t = NULL;
	VMT_AUTO_BUF more = { 0 };

	/* Of processes that are not there, and of sources of tomorrow, nothing is kept. */
	s = key_of(TWO
		   ",\"mapping_status\":{\"7\":\"denied\",\"9\":5},\"mappings\":{\"1\":[{"
		   "\"start\":\"0x1000\"}],\"7\":[{\"start\":\"0x1\"}]}},\"sources\":{\"tomorrow\":"
		   "{\"status\":\"x\"},\"pids\":{\"status\":\"ok\",\"denied\":3}},"
		   "\"scan\":{\"procs_seen\":9,\"vanished\":-1}");
	assert_non_null(s);
	assert_int_equal(s->n_procs, 2);
	assert_int_equal(s->maps[0].n_maps, 1);
	assert_int_equal(s->maps[0].state, VMT_STATE_OK);
	assert_int_equal(s->maps[1].n_maps, 0);
	assert_int_equal(s->maps[1].state, VMT_STATE_DENIED);
	assert_int_equal(s->sources[VMT_SOURCE_PIDS].denied, 3);
	assert_int_equal(s->procs_seen, 9);
	assert_int_equal(s->vanished, 0);
	/* As much of a reason as there is room for; sources that are a list are none. */
	memset(reason, 'r', sizeof(reason) - 1);
	vmt_buf_addf(&more,
		     TWO "},\"sources\":{\"pids\":{\"status\":\"failed\",\"reason\":\"%s\"}}",
		     reason);
	t = key_of(more.data);
	assert_non_null(t);
	assert_int_equal(strlen(t->sources[VMT_SOURCE_PIDS].reason),
			 sizeof(t->sources[VMT_SOURCE_PIDS].reason) - 1);
	vmt_sample_free(t);
	t = key_of(TWO "},\"sources\":[]");
	assert_non_null(t);
	assert_int_equal(t->sources[VMT_SOURCE_PIDS].state, VMT_STATE_ABSENT);
}

/* More rows than a line of ours could have: of nothing but braces. */
static void too_many_rows(void **unused)
{
	VMT_AUTO_BUF rows = { 0 };
	size_t i;

	vmt_buf_adds(&rows, ",\"data\":{\"events\":[{}");
	for (i = 0; i < 60000; i++)
		vmt_buf_adds(&rows, ",{}");
	vmt_buf_adds(&rows, "],\"processes\":[{}");
	for (i = 0; i < 5000; i++)
		vmt_buf_adds(&rows, ",{}");
	vmt_buf_adds(&rows, "]}");
	assert_null(key_of(rows.data));
}

/* Changes of a part that has no list yet, and those of one list that are of other forms. */
static void changes_of_any_form(void **unused)
{
	static const char *const bad[] = {
		"\"processes\":{\"changed\":[{\"pid\":\"1\"}]}",
		"\"processes\":{\"new\":[5]}",
		"\"processes\":{\"new\":[{\"pid\":9},{\"pid\":8}]}",
		"\"processes\":{\"gone\":[null]}",
		"\"mappings\":{\"1\":{\"changed\":[{\"start\":\"1000\"}]}}",
		"\"mappings\":{\"1\":{\"changed\":[{\"start\":\"0x\"}]}}",
		"\"mappings\":{\"1\":{\"changed\":[{\"start\":\"0x1000x\"}]}}",
		"\"mappings\":{\"1\":{\"changed\":[{\"start\":4096}]}}",
		"\"mappings\":{\"1\":{\"gone\":[\"0x2000\"]}}",
		"\"mapping_status\":{\"1\":\"x\"}",
	};
	static const char *const good[] = {
		"\"processes\":{}",
		"\"processes\":{\"changed\":5,\"gone\":5,\"new\":5}",
		"\"processes\":{\"gone\":[1,7]}",
		"\"processes\":{\"gone\":[7],\"new\":[{\"pid\":7},{\"pid\":8}]}",
		"\"mappings\":{\"1\":{\"changed\":[{\"start\":\"0x1000\",\"path\":\"y\"}]}}",
		"\"mappings\":{\"1\":{\"gone\":[\"0x1000\"],\"new\":[{\"start\":\"0x2000\"}]}}",
	};
	static const size_t n_procs[] = { 2, 2, 0, 3, 2, 2 };
	VMT_AUTO_SAMPLE key = key_of(TWO ",\"mappings\":{\"1\":[{\"start\":\"0x1000\","
					 "\"path\":\"x\"}]}},\"sources\":{\"pids\":{\"status\":"
					 "\"ok\"}}");
	size_t i;

	assert_non_null(key);
	key->host.page_size = 4096;
	for (i = 0; i < VMT_ARRAY_LEN(bad) + VMT_ARRAY_LEN(good); i++) {
		bool is_bad = i < VMT_ARRAY_LEN(bad);
		const char *data = is_bad ? bad[i] : good[i - VMT_ARRAY_LEN(bad)];
		VMT_AUTO_SAMPLE s = NULL;
		VMT_AUTO_BUF line = { 0 };
		int r;

		vmt_buf_addf(&line,
			     "{\"type\":\"sample\",\"data\":{%s},\"sources\":{\"pids\":{\"status\":"
			     "\"ok\"}}}",
			     data);
		r = vmt_recorded_sample((struct vmt_bytes){ line.data, line.len }, key, &s, NULL);
		if (r != (is_bad ? -EBADMSG : 0))
			fail_msg("%d: %s", r, data);
		if (!is_bad)
			assert_int_equal(s->n_procs, n_procs[i - VMT_ARRAY_LEN(bad)]);
	}
}

#define AFTER                                                                                      \
	"{\"type\":\"sample\",\"realtime_ns\":28,\"monotonic_ns\":29,\"boottime_ns\":29,"          \
	"\"key_ns\":29,\"data\":{}}\n"

static void what_is_not_there(void **unused)
{
	VMT_AUTO_RECORDING rec = NULL;
	struct vmt_recording *none = NULL;
	struct vmt_sample *s = NULL;
	struct vmt_err err = { 0 };

	write_lines(HEAD("2", "4096", ",\"interval_ns\":9") SAMPLE("6", "") AFTER);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_int_equal(vmt_recording_n(rec), 2);
	assert_int_equal(vmt_recording_interval(rec, 1), 9);
	assert_int_equal(vmt_recording_interval(rec, 2), 0);
	assert_int_equal(vmt_recording_time(rec, 1), 28);
	assert_int_equal(vmt_recording_time(rec, 2), 0);
	assert_true(vmt_recording_follows(rec, 1));
	assert_false(vmt_recording_follows(rec, 2));
	assert_int_equal(vmt_recording_find(rec, 29), 2);
	assert_int_equal(vmt_recording_sample(rec, 2, &s, &err), -EINVAL);
	assert_null(s);
	assert_null(vmt_recording_remark(rec, 0));
	assert_int_equal(vmt_recording_open("-", &none, &err), -EINVAL);
	unlink(path);
	assert_int_equal(vmt_recording_open(path, &none, &err), -ENOENT);
	assert_string_equal(err.path, path);
	assert_null(none);
}

/* Rates are not made across anything that makes it another machine, or another recording of it. */
static void heads_that_differ(void **unused)
{
	static const struct {
		const char *host, *more;
	} heads[] = {
		{ ",\"user_hz\":1000", ",\"boot_id\":\"b\"" },
		{ ",\"cpus\":9", ",\"boot_id\":\"b\"" },
		{ ",\"max_map_count\":9", ",\"boot_id\":\"b\"" },
		{ ",\"euid\":9", ",\"boot_id\":\"b\"" },
		{ ",\"release\":\"7\"", ",\"boot_id\":\"b\"" },
		{ ",\"machine\":\"m\"", ",\"boot_id\":\"b\"" },
		{ "", ",\"boot_id\":\"c\"" },
		{ "", ",\"boot_id\":\"b\",\"interval_ns\":9" },
		{ "", ",\"boot_id\":\"b\"" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(heads); i++) {
		VMT_AUTO_RECORDING rec = NULL;
		VMT_AUTO_BUF lines = { 0 };

		vmt_buf_addf(&lines,
			     HEAD("2", "4096", "")
				     SAMPLE("6", "") "{\"type\":\"header\",\"schema\":"
						     "\"vmtop.recording\",\"version\":2,"
						     "\"host\":{\"page_size_bytes\":4096"
						     "%s}%s}\n" AFTER,
			     heads[i].host, heads[i].more);
		write_lines(lines.data);
		assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
		assert_int_equal(vmt_recording_n(rec), 2);
		if (vmt_recording_follows(rec, 1) != (i == VMT_ARRAY_LEN(heads) - 1))
			fail_msg("%s, %s", heads[i].host, heads[i].more);
	}
}

#define GAP(ns, why)                                                                               \
	"{\"type\":\"gap\",\"realtime_ns\":7000000000,\"duration_ns\":" ns ",\"reason\":\"" why    \
	"\"}\n"

static void gaps_are_told(void **unused)
{
	static const char *const remarks[] = {
		"the clock was set forward by 5.00s",
		"the clock was set back by 5.00s",
		"nothing was recorded (suspended) for 9.00s",
		"nothing was recorded (\\x1b[2J) for 9.00s",
	};
	VMT_AUTO_RECORDING rec = NULL;
	VMT_AUTO_BUF many = { 0 };
	size_t i;

	write_lines(HEAD("2", "4096", "") SAMPLE("6", "") GAP("5000000000", "clock")
			    GAP("-5000000000", "clock") AFTER GAP("9000000000", "suspended")
				    GAP("9000000000", "\\u001b[2J") CHANGE(""));
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_true(vmt_recording_follows(rec, 1));
	for (i = 0; i < VMT_ARRAY_LEN(remarks); i++)
		if (!strstr(vmt_recording_remark(rec, i), remarks[i]))
			fail_msg("%s", vmt_recording_remark(rec, i));
	/* As many as anybody reads. */
	vmt_recording_free(rec);
	rec = NULL;
	vmt_buf_adds(&many, HEAD("2", "4096", "") SAMPLE("6", ""));
	for (i = 0; i < 200; i++)
		vmt_buf_adds(&many, GAP("1", "suspended"));
	write_lines(many.data);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_non_null(vmt_recording_remark(rec, 63));
	assert_null(vmt_recording_remark(rec, 64));
	assert_false(vmt_recording_is_damaged(rec));
}

/* A change of a key sample that is another one, and clocks that would go over their end. */
static void j04_changes_without_their_key(void **unused)
{
	char remark[256];
	bool damaged;

	write_lines(HEAD("2", "4096", "") SAMPLE("6", "") AFTER CHANGE(""));
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 2);
	assert_true(damaged);
	assert_non_null(strstr(remark, "1 samples lack the key sample"));
	write_lines(
		HEAD("2", "4096", "") "{\"type\":\"sample\",\"realtime_ns\":5,\"monotonic_ns\":6,"
				      "\"boottime_ns\":18446744073709551615,\"key_ns\":6,"
				      "\"data\":{}}\n{\"type\":\"sample\",\"realtime_ns\":8,"
				      "\"key_ns\":6,\"data\":{}}\n");
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 1);
	assert_true(damaged);
	assert_non_null(strstr(remark, "1 lines are left out"));
}

/* What is in the file; the descriptor to write over it is the caller's. */
static int contents(struct vmt_buf *b)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	vmt_buf_reserve(b, 1 << 20);
	b->len = (size_t)pread(fd, b->data, 1 << 20, 0);
	assert_true(b->len > 0 && b->len < 1 << 20);
	return fd;
}

static void j01_the_beginning_is_broken(void **unused)
{
	static const char junk[100] = "not of a recording";
	VMT_AUTO_BUF all = { 0 };
	char remark[256];
	bool damaged;
	int fd;

	write_lines(HEAD("2", "4096", "") SAMPLE("6", "") AFTER);
	fd = contents(&all);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
	assert_int_equal(pwrite(fd, all.data, all.len, sizeof(junk)), all.len);
	close(fd);
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 2);
	assert_true(damaged);
	assert_non_null(strstr(remark, "the first 100 bytes are broken"));
}

/* Somebody writes where vmtop has read: zeros, nothing, or a frame with less in it. */
static void j05_written_over_while_it_is_read(void **unused)
{
	VMT_AUTO_BUF less = { 0 };
	unsigned how;

	write_lines(HEAD("2", "4096", ""));
	close(contents(&less));
	for (how = 0; how < 3; how++) {
		static const char zeros[65536];
		VMT_AUTO_RECORDING rec = NULL;
		VMT_AUTO_BUF all = { 0 };
		struct vmt_sample *s = NULL;
		struct vmt_err err = { 0 };
		int fd;

		write_lines(HEAD("2", "4096", "") SAMPLE("6", "") AFTER);
		fd = contents(&all);
		assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
		if (how == 0)
			assert_int_equal(pwrite(fd, zeros, all.len, 0), all.len);
		if (how == 1)
			assert_int_equal(ftruncate(fd, 0), 0);
		if (how == 2)
			assert_int_equal(pwrite(fd, less.data, less.len, 0), less.len);
		assert_int_equal(vmt_recording_sample(rec, 1, &s, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "sample 2: its frame is broken now"));
		assert_null(s);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(numbers_are_brief),
		TEST(clocks_are_brief),
		TEST(j04_clocks),
		TEST(lines_of_any_form),
		TEST(gaps_of_any_form),
		TEST(heads_that_are_none),
		TEST(samples_that_are_none),
		TEST(samples_with_more),
		TEST(too_many_rows),
		TEST(changes_of_any_form),
		TEST(what_is_not_there),
		TEST(heads_that_differ),
		TEST(gaps_are_told),
		TEST(j04_changes_without_their_key),
		TEST(j01_the_beginning_is_broken),
		TEST(j05_written_over_while_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
