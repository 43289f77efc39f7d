/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/document.h"
#include "source/document-split.h"

/* A file that has this text; the descriptor is the caller's. */
static int file_of(const char *text)
{
	int fd = memfd_create("document", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads text; d is the caller's where that is 0. */
static int read_text(const char *text, struct vmt_document *d, struct vmt_err *err)
{
	int fd = file_of(text), r;

	*err = (struct vmt_err){ 0 };
	r = vmt_document_read(fd, "a.json", d, err);
	close(fd);
	return r;
}

/* It is taken. */
static void take(const char *text, struct vmt_document *d)
{
	struct vmt_err err;

	if (read_text(text, d, &err) < 0)
		fail_msg("%s: %s", err.text, text);
}

/* It is refused so, and the complaint has this in it. */
static void refuse(const char *text, int code, const char *why)
{
	struct vmt_document d = { 0 };
	struct vmt_err err;
	int r = read_text(text, &d, &err);

	if (r != code || !strstr(err.text, why))
		fail_msg("%d, '%s': %s", r, err.text, text);
	assert_null(d.sample);
}

#define HEAD "\"schema\":\"vmtop.maps\",\"version\":1"
#define MAP(pid, start, end)                                                                       \
	"{\"pid\":" pid ",\"start\":\"0x" start "\",\"end\":\"0x" end "\",\"path\":\"/lib/a\"}"

static void a_document(void **unused)
{
	struct vmt_document d;
	const struct vmt_sample *s;

	take("{" HEAD ",\"vmtop\":\"0.9\",\"time\":\"2026-01-31T23:59:59.250Z\",\"boot_id\":\"b\","
	     "\"monotonic_ns\":77,\"host\":{\"page_size_bytes\":4096,\"cpus\":2,\"euid\":0,"
	     "\"release\":\"6.1\",\"machine\":\"m\",\"root\":null},\"data\":{\"weather\":[{\"a\":1}],"
	     "\"maps\":[" MAP("9", "3000", "4000") "," MAP("7", "1000", "2000") "," MAP(
		     "9", "1000", "3000") "],\"processes\":[{\"pid\":8,\"class\":\"user\"},"
					  "{\"pid\":7,\"comm\":\"\\u00e4\",\"rain\":1},{\"pid\":5,"
					  "\"class\":\"kernel\"}]},\"errors\":[]}",
	     &d);
	s = d.sample;
	assert_bytes(d.schema, "vmtop.maps");
	assert_bytes(d.vmtop, "0.9");
	assert_bytes(s->host.release, "6.1");
	assert_bytes(s->host.boot_id, "b");
	assert_int_equal(s->host.page_size, 4096);
	assert_int_equal(s->host.monotonic_ns, 77);
	/* date -u -d 2026-01-31T23:59:59 +%s */
	assert_int_equal(s->host.realtime_ns, UINT64_C(1769903999250000000));
	assert_true(d.has_procs && d.has_maps && !d.has_system);
	assert_int_equal(d.unknown_keys, 1);
	assert_null(d.remark);
	/* In order, the one of which there are mappings alone too. */
	assert_int_equal(s->n_procs, 4);
	assert_int_equal(s->procs[0].pid, 5);
	assert_int_equal(s->procs[1].pid, 7);
	assert_bytes(s->procs[1].comm, "\xc3\xa4");
	assert_int_equal(s->procs[3].pid, 9);
	assert_false(VMT_HAS(proc, comm, &s->procs[3]));
	assert_int_equal(s->maps[3].n_maps, 2);
	assert_int_equal(s->maps[3].maps[0].start, 0x1000);
	assert_int_equal(s->maps[3].maps[1].size_bytes, 0x1000);
	/* A kernel thread has no mappings; of a process without any nothing is known. */
	assert_int_equal(s->maps[0].state, VMT_STATE_OK);
	assert_int_equal(s->maps[2].state, VMT_STATE_SKIPPED);
	assert_int_equal(s->maps[1].state, VMT_STATE_OK);
	vmt_document_done(&d);
	assert_null(d.sample);
}

/* Processes that could not be read whole have half a list. */
static void half_a_list(void **unused)
{
	struct vmt_document d;

	take("{" HEAD
	     ",\"data\":{\"processes\":[{\"pid\":1,\"read_status\":\"timed_out\"},{\"pid\":2,"
	     "\"read_status\":\"denied\"}],\"maps\":[" MAP("1", "1000", "2000") "]}}",
	     &d);
	assert_int_equal(d.sample->maps[0].state, VMT_STATE_PARTIAL);
	assert_int_equal(d.sample->maps[1].state, VMT_STATE_FAILED);
	vmt_document_done(&d);
	/* That there are none is known, and another thing than that nobody asked. */
	take("{" HEAD ",\"data\":{\"maps\":[]}}", &d);
	assert_true(d.has_maps && !d.has_procs);
	assert_int_equal(d.sample->n_procs, 0);
	vmt_document_done(&d);
	take("{\"version\":1,\"data\":{\"system\":{\"free_bytes\":null,\"total_bytes\":9}},"
	     "\"schema\":\"vmtop.free\"}",
	     &d);
	assert_true(d.has_system && !d.has_maps);
	assert_null(d.sample->maps);
	assert_false(VMT_HAS(system, free_bytes, &d.sample->system));
	assert_int_equal(d.sample->system.total_bytes, 9);
	vmt_document_done(&d);
}

#define LINE_HEAD "{\"type\":\"header\"," HEAD "}\n"
#define PROC(pid) "{\"type\":\"proc\",\"pid\":" pid "}\n"
#define NEXT(ms)  "{\"type\":\"sample\",\"time\":\"1970-01-01T00:00:00.00" ms "Z\"}\n"
#define END	  "{\"type\":\"end\"}\n"

static void a_stream(void **unused)
{
	struct vmt_document d;

	take(LINE_HEAD NEXT("1") PROC("1") NEXT("2") PROC("2") PROC("3") END, &d);
	assert_int_equal(d.sample->n_procs, 2);
	assert_int_equal(d.sample->host.realtime_ns, 2000000);
	assert_null(d.remark);
	vmt_document_done(&d);
	/* What is cut off is not whole: the sample before it counts, with its time. */
	take(LINE_HEAD NEXT("1") PROC("1") NEXT("2") PROC("2") PROC("3"), &d);
	assert_int_equal(d.sample->n_procs, 1);
	assert_int_equal(d.sample->host.realtime_ns, 1000000);
	assert_non_null(strstr(d.remark, "ends early"));
	vmt_document_done(&d);
	refuse(LINE_HEAD NEXT("1") PROC("1"), -EBADMSG, "ends early");
	refuse(LINE_HEAD NEXT("1") PROC("1") "{\"type\":\"end\"}", -EBADMSG, "ends early");
	refuse(LINE_HEAD NEXT("1") PROC("1") END PROC("2"), -EBADMSG, "behind its last one");
	refuse(LINE_HEAD "{\"pid\":1}\n" END, -EBADMSG, "without a type");
	refuse(LINE_HEAD "[]\n" END, -EBADMSG, "without a type");
	refuse(LINE_HEAD NEXT("1") "{\"type\":\"proc\"}\n" END, -EBADMSG, "without pid");
	refuse(NEXT("1") PROC("1") END, -EBADMSG, "no schema and version");
}

static void what_is_refused(void **unused)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} cases[] = {
		{ "", -EBADMSG, "empty" },
		{ "nothing of ours\n", -EBADMSG, "no JSON document" },
		{ "{}", -EBADMSG, "no schema and version" },
		{ "{\"schema\":\"x.y\"}", -EBADMSG, "its schema is another one" },
		{ "{\"schema\":\"vmtop.diff\"}", -EBADMSG, "a comparison itself" },
		{ "{" HEAD "}", -EBADMSG, "has neither" },
		{ "{" HEAD ",\"data\":{\"maps\":[]}", -EBADMSG, "ends early" },
		{ "{\"schema\":\"vmtop.maps\",\"version\":2}", -EPROTONOSUPPORT, "version 2" },
		{ "{\"schema\":\"vmtop.maps\",\"version\":\"1\"}", -EBADMSG, "is no number" },
		{ "{" HEAD ",\"host\":[]}", -EBADMSG, "host: is no object" },
		{ "{" HEAD ",\"data\":{\"maps\":[" MAP("1", "2000", "2000") "]}}", -EBADMSG,
		  "ends before it begins" },
		{ "{" HEAD ",\"data\":{\"maps\":[" MAP("1", "1000", "3000") "," MAP("1", "2000",
										    "4000") "]}}",
		  -EBADMSG, "overlap" },
		{ "{" HEAD ",\"data\":{\"maps\":[{\"pid\":1,\"start\":\"0x1\"}]}}", -EBADMSG,
		  "without pid, start or end" },
		{ "{" HEAD ",\"data\":{\"maps\":[7]}}", -EBADMSG, "map" },
		{ "{" HEAD ",\"data\":{\"processes\":[{\"pid\":1},{\"pid\":1}]}}", -EBADMSG,
		  "there twice" },
		{ "{" HEAD ",\"data\":{\"processes\":[{\"comm\":\"x\"}]}}", -EBADMSG,
		  "without pid" },
		{ "{" HEAD ",\"data\":{\"processes\":[{\"pid\":-1}]}}", -EBADMSG, "pid" },
		{ "{" HEAD ",\"data\":{\"processes\":[{\"pid\":99999999999999999999}]}}", -EBADMSG,
		  "64 bits" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		refuse(cases[i].text, cases[i].code, cases[i].why);
}

/* Whatever it is cut to, it is refused, or has all that it had. */
static void j01_cut_at_every_byte(void **unused)
{
	static const char all[] = "{" HEAD ",\"data\":{\"maps\":[" MAP("1", "1000", "2000") "," MAP(
		"1", "2000", "3000") "]},\"errors\":[]}\n";
	struct vmt_document d;
	struct vmt_err err;
	char text[sizeof(all)];
	size_t i, taken = 0;

	for (i = 0; i < sizeof(all); i++) {
		snprintf(text, sizeof(text), "%.*s", (int)i, all);
		if (read_text(text, &d, &err) < 0) {
			assert_true(err.code == -EBADMSG && err.text[0]);
			continue;
		}
		taken++;
		assert_int_equal(d.sample->maps[0].n_maps, 2);
		vmt_document_done(&d);
	}
	/* With its end of line, and without. */
	assert_int_equal(taken, 2);
}

static void j04_nested_without_end(void **unused)
{
	VMT_AUTO_BUF text = { 0 };
	int i;

	vmt_buf_adds(&text, "{" HEAD ",\"data\":{\"maps\":[");
	for (i = 0; i < 100000; i++)
		vmt_buf_addc(&text, '[');
	refuse(text.data, -EBADMSG, "");
}

static void what_cannot_be_read(void **unused)
{
	struct vmt_document d = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_document_read(-1, "a.json", &d, &err), -EBADF);
	assert_non_null(strstr(err.text, strerror(EBADF)));
}

static uint64_t time_in(const char *time)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_document d;
	uint64_t ns;

	vmt_buf_addf(&text, "{" HEAD ",\"time\":\"%s\",\"data\":{\"maps\":[]}}", time);
	take(text.data, &d);
	ns = d.sample->host.realtime_ns;
	vmt_document_done(&d);
	return ns;
}

/* Of date -u; and what is no time is none, and not the beginning of all. */
static void times(void **unused)
{
	static const char *const bad[] = {
		"",
		"2026-01-31",
		"2026-01-31T23:59:59.250",
		"2026-01-31T23:59:59.250+",
		"2026/01-31T23:59:59.250Z",
		"2026-01-31 23:59:59.250Z",
		"2026-01-31T23-59:59.250Z",
		"2026-01-31T23:59:59,250Z",
		"x026-01-31T23:59:59.250Z",
		"2026-01-31T23:59:59.25xZ",
		"1969-12-31T23:59:59.999Z",
		"2026-00-31T23:59:59.250Z",
		"2026-13-31T23:59:59.250Z",
		"2026-01-00T23:59:59.250Z",
		"2026-01-32T23:59:59.250Z",
		"2026-01-31T24:59:59.250Z",
		"2026-01-31T23:60:59.250Z",
		"2026-01-31T23:59:61.250Z",
	};
	size_t i;

	assert_int_equal(time_in("1970-01-01T00:00:00.001Z"), 1000000);
	assert_int_equal(time_in("1972-02-29T00:00:00.000Z"), UINT64_C(68169600000000000));
	assert_int_equal(time_in("1972-03-01T00:00:00.000Z"), UINT64_C(68256000000000000));
	assert_int_equal(time_in("2000-02-29T00:00:00.000Z"), UINT64_C(951782400000000000));
	assert_int_equal(time_in("2100-03-01T00:00:00.000Z"), UINT64_C(4107542400000000000));
	assert_int_equal(time_in("2016-12-31T23:59:60.000Z"), UINT64_C(1483228800000000000));
	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		if (time_in(bad[i]))
			fail_msg("'%s' is a time", bad[i]);
}

/* Members of another type say nothing; rows of nothing are none. */
static void other_types(void **unused)
{
	struct vmt_document d;

	take("{" HEAD ",\"monotonic_ns\":-1,\"boot_id\":5,\"time\":6,\"host\":{"
	     "\"page_size_bytes\":\"4096\",\"cpus\":-2,\"euid\":null,\"release\":[]},"
	     "\"data\":{\"system\":null,\"maps\":[null],\"processes\":[null,null]}}",
	     &d);
	assert_int_equal(d.sample->host.page_size, 0);
	assert_int_equal(d.sample->host.cpus, 0);
	assert_int_equal(d.sample->host.monotonic_ns, 0);
	assert_true(d.sample->host.euid == VMT_EUID_UNKNOWN);
	assert_int_equal(d.sample->host.release.len, 0);
	assert_int_equal(d.sample->host.realtime_ns, 0);
	assert_int_equal(d.sample->n_procs, 0);
	assert_true(d.has_maps && d.has_procs && !d.has_system);
	vmt_document_done(&d);
}

/* Processes whose class is not known, or whose mappings are. */
static void states(void **unused)
{
	struct vmt_document d;

	take("{" HEAD ",\"data\":{\"processes\":[{\"pid\":1,\"read_status\":\"ok\"},"
	     "{\"pid\":2,\"class\":\"zombie\",\"read_status\":\"ok\"},"
	     "{\"pid\":3,\"read_status\":\"gone\"}],\"maps\":[" MAP(
		     "3", "1000", "2000") ","
					  "null," MAP("3", "2000", "3000") "]}}",
	     &d);
	assert_int_equal(d.sample->maps[0].state, VMT_STATE_SKIPPED);
	assert_int_equal(d.sample->maps[1].state, VMT_STATE_OK);
	assert_int_equal(d.sample->maps[2].state, VMT_STATE_PARTIAL);
	assert_int_equal(d.sample->maps[2].n_maps, 2);
	vmt_document_done(&d);
}

static void streams_of_other_lines(void **unused)
{
	struct vmt_document d;

	/* Lines of types that say nothing here, and rows that come before any sample is begun. */
	take(LINE_HEAD "{\"type\":\"weather\"}\n{\"type\":\"map\",\"pid\":4,\"start\":\"0x1000\","
		       "\"end\":\"0x2000\"}\n{\"type\":\"system\",\"free_bytes\":7}\n" END,
	     &d);
	assert_true(d.has_maps && d.has_system && !d.has_procs);
	assert_int_equal(d.sample->system.free_bytes, 7);
	assert_int_equal(d.sample->maps[0].n_maps, 1);
	vmt_document_done(&d);
	/* One moment after the other, of which each has a part of its own. */
	take(LINE_HEAD NEXT("1") "{\"type\":\"system\",\"free_bytes\":7}\n" NEXT("2") PROC("1") END,
	     &d);
	assert_true(d.has_procs && !d.has_system);
	vmt_document_done(&d);
	refuse(LINE_HEAD "{\"type\":\"proc\",\n" END, -EBADMSG, "");
	refuse(LINE_HEAD "\n" END, -EBADMSG, "");
	refuse(LINE_HEAD "{\"type\":\"sample\",\"host\":7}\n" END, -EBADMSG, "host: is no object");
	refuse(LINE_HEAD END, -EBADMSG, "has neither");
	refuse("{\"type\":\"header\",\"schema\":\"vmtop.maps\",\"version\":7}\n", -EPROTONOSUPPORT,
	       "version 7");
	refuse("{\"type\":\"header\",\"schema\":\"vmtop.maps\"}\n" PROC("1") END, -EBADMSG,
	       "no schema and version");
}

/* Of mappings what they are known by, each of it. */
static void mappings_without(void **unused)
{
	static const char *const rows[] = {
		"{\"start\":\"0x1000\",\"end\":\"0x2000\"}",
		"{\"pid\":1,\"end\":\"0x2000\"}",
		"{\"pid\":1,\"start\":\"0x1000\"}",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(rows); i++) {
		VMT_AUTO_BUF text = { 0 };

		vmt_buf_addf(&text, "{" HEAD ",\"data\":{\"maps\":[%s]}}", rows[i]);
		refuse(text.data, -EBADMSG, "without pid, start or end");
	}
}

/* What is JSON of another form, or of none. */
static void broken_json(void **unused)
{
	static const char *const bad[] = {
		"[]",
		"{,}",
		"{\"a\"}",
		"{\"a\" 1}",
		"{\"a\":}",
		"{\"a\":,\"b\":1}",
		"{\"a\"::1}",
		"{\"a\":]}",
		"{\"a\":1,}",
		"{\"a\":1]",
		"{\"a\":1}}",
		"{\"a\":1 2}",
		"{\"data\":{\"maps\":[}]}}",
		"{\"data\":{\"maps\":[1}]}}",
		"{\"data\":{\"maps\":[{\"pid\":1},]}}",
		"{\"data\":{]}",
		"{\"version\":nothing}",
		"{" HEAD ",\"data\":{\"maps\":[{\"pid\"}]}}",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		refuse(bad[i], -EBADMSG, "");
}

/* Blanks of all sorts, bare values before each of them, escapes, and braces in texts. */
static void any_layout(void **unused)
{
	struct vmt_document d;

	take(" {\r\n\t" HEAD "\t,\"a\":1 ,\"b\":2\t,\"c\":3\n,\"d\":4\r,\"e\":true,\"f\\\"\":[5],"
	     "\"errors\":[{\"x\":\"\\\"]}\\\\\"},[[]]],\"sources\":{\"y\":\"}\"},\n"
	     "\"data\":{\"rain\":7,\"snow\":[1,2,[3,{\"q\":4}]],\"maps\":[\n" MAP(
		     "1", "1000", "2000") "\n,\t" MAP("1", "2000",
						      "3000") "\r],\"system\":{\"free_bytes\":1}},"
							      "\"g\":[1,{\"h\":[2]}],\"i\":6}\n\n",
	     &d);
	assert_int_equal(d.sample->maps[0].n_maps, 2);
	assert_int_equal(d.sample->system.free_bytes, 1);
	vmt_document_done(&d);
}

/* Longer than any row or key of ours, in a document and in a stream. */
static void too_long(void **unused)
{
	VMT_AUTO_BUF text = { 0 };
	VMT_AUTO_BUF line = { 0 };
	VMT_AUTO_BUF key = { 0 };
	size_t i;

	vmt_buf_adds(&text, "{" HEAD ",\"data\":{\"maps\":[{\"path\":\"");
	vmt_buf_adds(&line, LINE_HEAD "{\"type\":\"proc\",\"pid\":1,\"comm\":\"");
	for (i = 0; i <= VMT_SPLIT_TEXT_MAX / 64; i++) {
		vmt_buf_adds(&text,
			     "................................................................");
		vmt_buf_adds(&line,
			     "................................................................");
	}
	vmt_buf_adds(&text, "\"}]}}");
	vmt_buf_adds(&line, "\"}\n" END);
	refuse(text.data, -EBADMSG, "too long");
	refuse(line.data, -EBADMSG, "too long");
	vmt_buf_adds(&key, "{\"");
	for (i = 0; i <= VMT_SPLIT_KEY_MAX; i++)
		vmt_buf_addc(&key, 'k');
	vmt_buf_adds(&key, "\":1}");
	refuse(key.data, -EBADMSG, "too long");
}

/* Of two processes, one of which has mappings: in one object, and in lines. */
static const char *const small[] = {
	"{" HEAD ",\"vmtop\":\"0.9\",\"boot_id\":\"b\",\"host\":{\"release\":\"6.1\"},\"data\":{"
	"\"system\":{\"total_bytes\":4096},\"processes\":[{\"pid\":7,\"comm\":\"x\"}],"
	"\"maps\":[" MAP("9", "3000", "4000") "," MAP("7", "1000", "2000") "]}}",
	"{\"type\":\"header\"," HEAD ",\"vmtop\":\"0.9\"}\n"
	"{\"type\":\"map\",\"pid\":9,\"start\":\"0x3000\",\"end\":\"0x4000\"}\n"
	"{\"type\":\"map\",\"pid\":7,\"start\":\"0x1000\",\"end\":\"0x2000\"}\n"
	"{\"type\":\"proc\",\"pid\":7,\"comm\":\"x\"}\n"
	"{\"type\":\"end\"}\n",
};

static int once(void *arg)
{
	const char *const *text = arg;
	struct vmt_document d;
	struct vmt_err err;
	int r = read_text(*text, &d, &err);

	if (r < 0)
		return r;
	assert_bytes(d.schema, "vmtop.maps");
	assert_bytes(d.vmtop, "0.9");
	assert_int_equal(d.sample->n_procs, 2);
	assert_bytes(d.sample->procs[0].comm, "x");
	assert_int_equal(d.sample->maps[0].maps[0].start, 0x1000);
	assert_int_equal(d.sample->maps[1].maps[0].start, 0x3000);
	vmt_document_done(&d);
	return 0;
}

/* Whichever allocation fails, there is no document, or all of it. */
static void failing_allocations(void **unused)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(small); i++) {
		const char *text = small[i];

		assert_true(unit_piece_sweep(once, &text) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document),
		cmocka_unit_test(half_a_list),
		cmocka_unit_test(a_stream),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(j01_cut_at_every_byte),
		cmocka_unit_test(j04_nested_without_end),
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(times),
		cmocka_unit_test(other_types),
		cmocka_unit_test(states),
		cmocka_unit_test(streams_of_other_lines),
		cmocka_unit_test(mappings_without),
		cmocka_unit_test(broken_json),
		cmocka_unit_test(any_layout),
		cmocka_unit_test(too_long),
		cmocka_unit_test(failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
