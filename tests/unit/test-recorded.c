/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording-setup.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(numbers_are_brief),
		TEST(clocks_are_brief),
		TEST(j04_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
