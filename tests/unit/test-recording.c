/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording-setup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "cmd/recorder.h"
#include "model/zone-sample.h"
#include "source/recording-private.h"
#include "view/sample-json.h"

static struct vmt_recorder *start(uint64_t frame_ns)
{
	const struct vmt_recorder_opts opts = { .path = path, .frame_ns = frame_ns, .keep = 2 };
	struct vmt_recorder *r;
	struct vmt_err err = { 0 };

	if (vmt_recorder_open(&opts, &r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

/* n samples, from the first on; they are the caller's. */
static void put(struct vmt_recorder *r, struct vmt_sample **samples, size_t first, size_t n)
{
	size_t i;

	for (i = first; i < first + n; i++) {
		samples[i] = any_sample(i);
		assert_int_equal(vmt_recorder_put(r, samples[i], 0, NULL), 0);
	}
}

#define MANY 70

static void what_is_written_is_read(void **unused)
{
	struct vmt_sample *samples[MANY], *s;
	struct vmt_recorder *r = start(40 * SECOND);
	VMT_AUTO_RECORDING rec = NULL;
	size_t i;

	put(r, samples, 0, MANY / 2);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	r = start(30 * SECOND);
	put(r, samples, MANY / 2, MANY / 2);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_int_equal(vmt_recording_n(rec), MANY);
	assert_false(vmt_recording_is_damaged(rec));
	/* In an order that needs one key sample after the other. */
	for (i = 0; i < MANY; i++) {
		size_t at = i * 37 % MANY;

		assert_int_equal(vmt_recording_time(rec, at), samples[at]->host.realtime_ns);
		assert_int_equal(vmt_recording_follows(rec, at), at != 0 && at != MANY / 2);
		assert_int_equal(vmt_recording_sample(rec, at, &s, NULL), 0);
		same_sample(samples[at], s);
		vmt_sample_free(s);
	}
	assert_int_equal(vmt_recording_find(rec, 0), 0);
	assert_int_equal(vmt_recording_find(rec, samples[9]->host.realtime_ns), 9);
	assert_int_equal(vmt_recording_find(rec, samples[9]->host.realtime_ns + 1), 10);
	for (i = 0; i < MANY; i++)
		vmt_sample_free(samples[i]);
}

/* A file with three frames, of two samples each; what is in it. */
static struct vmt_buf small_file(void)
{
	struct vmt_sample *samples[6];
	struct vmt_buf b = { 0 };
	size_t i;
	int fd;

	sparse = 40;
	for (i = 0; i < 3; i++) {
		struct vmt_recorder *r = start(0);

		put(r, samples, 2 * i, 2);
		assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	}
	for (i = 0; i < 6; i++)
		vmt_sample_free(samples[i]);
	sparse = 1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	vmt_buf_reserve(&b, 1 << 20);
	b.len = (size_t)read(fd, b.data, 1 << 20);
	close(fd);
	return b;
}

static void write_file(const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

static void j01_truncated_at_every_byte(void **unused)
{
	struct vmt_buf all = small_file();
	char remark[256];
	bool damaged = true;
	int last = 0, n;
	size_t i;

	for (i = 0; i <= all.len; i++) {
		write_file(all.data, i);
		n = read_all(&damaged, remark, sizeof(remark));
		if (n < 0) {
			/* Before the first sample there is nothing to be read. */
			assert_int_equal(n, -EBADMSG);
			assert_int_equal(last, 0);
			continue;
		}
		/* Nothing that was there with fewer bytes is lost. */
		assert_true(n >= last && n <= 6);
		last = n;
		if (damaged)
			assert_non_null(strstr(remark, "ends early at byte"));
	}
	assert_int_equal(last, 6);
	assert_false(damaged);
	vmt_buf_done(&all);
}

static void j02_a_bit_is_flipped(void **unused)
{
	struct vmt_buf all = small_file();
	char remark[256];
	bool damaged = true;
	size_t i;
	int n;

	for (i = 0; i < all.len; i++) {
		char was = all.data[i];

		all.data[i] = (char)(was ^ (1 << i % 8));
		write_file(all.data, all.len);
		all.data[i] = was;
		n = read_all(&damaged, remark, sizeof(remark));
		/* Two samples are in a frame. Which window it asks for changes nothing in it, and
		 * of the last one lines that can be read are. */
		assert_true(n >= 4 && n <= 6);
		assert_true(damaged || n == 6);
	}
	vmt_buf_done(&all);
}

#define LATER                                                                                      \
	"{\"type\":\"sample\",\"realtime_ns\":28,\"monotonic_ns\":29,\"boottime_ns\":29,"          \
	"\"key_ns\":29,\"data\":{}}\n"

static void j03_other_versions(void **unused)
{
	char remark[256];
	bool damaged = false;

	write_lines(
		HEAD("2", "4096", ",\"more\":[1]") "{\"type\":\"weather\",\"rain\":true}\n" SAMPLE(
			"6",
			"\"system\":{\"free_bytes\":9,\"new_bytes\":3},\"clouds\":[{\"a\":1}]"));
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 1);
	assert_false(damaged);
	/* Members in another order, and blanks. */
	write_lines(HEAD("2", "4096", "") "{\"key_ns\" : 6, \"data\":{}, \"monotonic_ns\":6,"
					  "\"type\":\"sample\",\"realtime_ns\":1}\n");
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 1);
	write_lines(HEAD("3", "4096", "") SAMPLE("6", ""));
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EPROTONOSUPPORT);
	assert_non_null(strstr(remark, "version 3: this vmtop reads version 2"));
	write_lines(HEAD("1", "4096", "") SAMPLE("6", ""));
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EPROTONOSUPPORT);
	/* Without what it is of. */
	write_lines("{\"type\":\"header\",\"schema\":\"vmtop.recording\"}\n" SAMPLE("6", ""));
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EBADMSG);
}

/* The second sample of a recording whose first one has two processes; what reading it comes to. */
static int change(const char *first, const char *second)
{
	VMT_AUTO_RECORDING rec = NULL;
	struct vmt_sample *s = NULL;
	VMT_AUTO_BUF lines = { 0 };
	int r;

	vmt_buf_addf(&lines, HEAD("2", "4096", "") SAMPLE("6", "%s") CHANGE("%s"), first, second);
	write_lines(lines.data);
	r = vmt_recording_open(path, &rec, NULL);
	if (r == 0) {
		assert_int_equal(vmt_recording_n(rec), 2);
		r = vmt_recording_sample(rec, 1, &s, NULL);
	}
	if (r == 0)
		r = (int)s->n_procs;
	vmt_sample_free(s);
	return r;
}

static void j04_hostile_lines(void **unused)
{
	static const char two[] = "\"processes\":[{\"pid\":1},{\"pid\":7}]";
	static const char *const broken[] = {
		"\"processes\":{\"gone\":[9]}",
		"\"processes\":{\"gone\":[{}]}",
		"\"processes\":{\"changed\":[{\"pid\":2}]}",
		"\"processes\":{\"changed\":[{\"rss_bytes\":2}]}",
		"\"processes\":{\"changed\":[3]}",
		"\"processes\":{\"changed\":[{\"pid\":1,\"rss_bytes\":\"x\"}]}",
		"\"processes\":{\"changed\":[{\"pid\":1,\"rss_bytes\":-5}]}",
		"\"processes\":{\"changed\":[{\"pid\":1,\"rss_bytes\":99999999999999999999}]}",
		"\"processes\":{\"new\":[{\"comm\":\"nobody\"}]}",
		"\"processes\":[{\"pid\":7},{\"pid\":1}]",
		"\"processes\":[{\"pid\":7},{\"pid\":7}]",
		"\"processes\":[null]",
		"\"processes\":7",
		"\"system\":[]",
		"\"system\":{\"free_pages\":-1}",
		"\"system\":{\"free_pages\":\"1\"}",
		"\"system\":{\"free_pages\":null}",
		"\"system\":{\"free_pages\":4503599627370496}",
		"\"processes\":{\"changed\":[{\"pid\":1,\"rss_pages\":0.5}]}",
		"\"pressure\":{\"changed\":[{\"row\":0}]}",
		"\"pressure\":{\"changed\":[{\"row\":9223372036854775807}]}",
		"\"pressure\":{\"changed\":[{\"row\":-1}]}",
		"\"mappings\":{\"1\":[{\"start\":\"0x2\"},{\"start\":\"0x1\"}]}",
		"\"mappings\":{\"1\":{\"gone\":[\"0x1\"]}}",
		"\"mappings\":[1]",
		"\"events\":7",
		"\"events\":[null]",
		"\"events\":[{\"pid\":\"x\"}]",
		"\"events\":[{\"address\":8}]",
		"\"events\":[{\"text\":8}]",
		"\"events\":{\"changed\":[{\"row\":0,\"pid\":1}]}",
		"\"gaps\":[{\"lost_total\":-1}]",
	};
	VMT_AUTO_BUF deep = { 0 };
	size_t i;

	assert_int_equal(change(two, ""), 2);
	assert_int_equal(
		change(two, "\"processes\":{\"gone\":[1],\"new\":[{\"pid\":3},{\"pid\":9}]}"), 3);
	/* One that has the number of another. */
	assert_int_equal(change(two, "\"processes\":{\"new\":[{\"pid\":7,\"comm\":\"x\"}]}"), 2);
	assert_int_equal(change(two, "\"mappings\":{\"1\":[{\"start\":\"0x1\"}],\"99\":5}"), 2);
	for (i = 0; i < VMT_ARRAY_LEN(broken); i++)
		if (change(two, broken[i]) != -EBADMSG)
			fail_msg("taken: %s", broken[i]);
	vmt_buf_adds(&deep, "\"processes\":");
	for (i = 0; i < 100000; i++)
		vmt_buf_addc(&deep, '[');
	assert_int_equal(change(two, deep.data), -EBADMSG);
}

/* A frame is written anew when it is whole. Who is killed before what is left of the old one was
 * cut off, or reads then, has the new one. */
static void j05_killed_while_a_frame_is_packed(void **unused)
{
	struct vmt_sample *samples[9];
	struct vmt_recorder *r = start(0);
	struct vmt_buf old = { 0 };
	char remark[256];
	bool damaged;
	struct stat st;
	size_t i;
	int fd;

	put(r, samples, 0, 8);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	vmt_buf_reserve(&old, 1 << 20);
	old.len = (size_t)read(fd, old.data, 1 << 20);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true((size_t)st.st_size < old.len);
	assert_int_equal(
		pwrite(fd, old.data + st.st_size, old.len - (size_t)st.st_size, st.st_size),
		old.len - (size_t)st.st_size);
	close(fd);
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 8);
	assert_true(damaged);
	r = start(0);
	put(r, samples, 8, 1);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 9);
	assert_false(damaged);
	for (i = 0; i < 9; i++)
		vmt_sample_free(samples[i]);
	vmt_buf_done(&old);
}

/* A few KiB that would be many GiB. */
static void j04_bomb(void **unused)
{
	static char zeros[1 << 20];
	struct vmt_buf all = small_file();
	ZSTD_CCtx *c = ZSTD_createCCtx();
	char remark[256];
	bool damaged;
	size_t i, len;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	len = all.len;
	for (i = 0; i <= 64; i++) {
		ZSTD_inBuffer in = { zeros, sizeof(zeros), 0 };
		ZSTD_outBuffer out;

		vmt_buf_reserve(&all, 1 << 18);
		out = (ZSTD_outBuffer){ all.data + all.len, 1 << 18, 0 };
		ZSTD_compressStream2(c, &out, &in, i == 64 ? ZSTD_e_end : ZSTD_e_continue);
		all.len += out.pos;
	}
	ZSTD_freeCCtx(c);
	assert_true(all.len - len < 1 << 20);
	write_file(all.data, all.len);
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), 6);
	assert_true(damaged);
	vmt_buf_done(&all);
}

/* The recorder was killed in a frame: who comes next finishes it. */
static void j05_an_unfinished_frame_is_finished(void **unused)
{
	struct vmt_buf all = small_file();
	char remark[256];
	bool damaged;
	size_t cut;
	int n;

	for (cut = all.len - 1; cut > all.len / 2; cut -= 7) {
		struct vmt_sample *samples[7];
		struct vmt_recorder *r;

		write_file(all.data, cut);
		n = read_all(&damaged, remark, sizeof(remark));
		r = start(0);
		put(r, samples, 6, 1);
		vmt_sample_free(samples[6]);
		assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
		assert_int_equal(read_all(&damaged, remark, sizeof(remark)), n + 1);
		assert_false(damaged);
	}
	vmt_buf_done(&all);
}

static void j05_grows_while_it_is_read(void **unused)
{
	struct vmt_sample *samples[4], *s;
	struct vmt_recorder *r = start(0);
	VMT_AUTO_RECORDING rec = NULL;
	size_t i;

	put(r, samples, 0, 1);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	for (i = 1; i < 4; i++) {
		put(r, samples, i, 1);
		assert_int_equal(vmt_recording_refresh(rec, NULL), 0);
		assert_int_equal(vmt_recording_n(rec), i + 1);
		assert_int_equal(vmt_recording_sample(rec, i, &s, NULL), 0);
		same_sample(samples[i], s);
		vmt_sample_free(s);
	}
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(vmt_recording_refresh(rec, NULL), 0);
	assert_int_equal(vmt_recording_n(rec), 4);
	assert_false(vmt_recording_is_damaged(rec));
	for (i = 0; i < 4; i++)
		vmt_sample_free(samples[i]);
}

/* Its frame is finished behind the fstat() that is so many away; 0: behind none. */
static struct vmt_record_file *looked_at;
static unsigned looks_left;

int fstat(int fd, struct stat *st)
{
	int r = fstatat(fd, "", st, AT_EMPTY_PATH);

	if (looks_left && --looks_left == 0)
		assert_int_equal(vmt_record_file_finish(looked_at), 0);
	return r;
}

/* A recorder writes its last frame once more, smaller, between two calls of one who reads. */
static void j05_is_packed_while_it_is_read(void **unused)
{
	VMT_AUTO_BUF lines = { 0 };
	unsigned when;
	size_t i;

	for (i = 0; i < 50; i++)
		vmt_buf_adds(&lines, CHANGE(""));
	for (when = 1; when <= 2; when++) {
		VMT_AUTO_RECORDING rec = NULL;
		struct vmt_record_found found;
		struct stat before, after;

		unlink(path);
		assert_int_equal(vmt_record_file_open(path, true, &looked_at, &found, NULL), 0);
		assert_int_equal(
			vmt_record_file_add(looked_at,
					    vmt_bytes_of(HEAD("2", "4096", "") SAMPLE("6", ""))),
			0);
		assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
		assert_true(vmt_recording_is_damaged(rec));
		for (i = 0; i < 5; i++)
			assert_int_equal(vmt_record_file_add(looked_at, vmt_bytes_of(lines.data)),
					 0);
		assert_int_equal(stat(path, &before), 0);
		looks_left = when;
		assert_int_equal(vmt_recording_refresh(rec, NULL), 0);
		assert_int_equal(looks_left, 0);
		assert_int_equal(stat(path, &after), 0);
		assert_true(after.st_size < before.st_size);
		assert_int_equal(vmt_recording_n(rec), 1 + 5 * 50);
		assert_null(vmt_recording_remark(rec, 0));
		assert_false(vmt_recording_is_damaged(rec));
		assert_int_equal(vmt_record_file_close(looked_at), 0);
	}
}

/* What the unfinished frame has said of key samples is not known any more when it is read again. */
static void j05_an_unfinished_frame_is_read_again(void **unused)
{
	VMT_AUTO_RECORDING rec = NULL;
	struct vmt_record_found found;
	struct vmt_record_file *f;
	int i;

	assert_int_equal(vmt_record_file_open(path, true, &f, &found, NULL), 0);
	assert_int_equal(
		vmt_record_file_add(f, vmt_bytes_of(HEAD("2", "4096", "") SAMPLE("6", ""))), 0);
	assert_int_equal(vmt_record_file_finish(f), 0);
	assert_int_equal(
		vmt_record_file_add(f, vmt_bytes_of(CHANGE("") HEAD("2", "8192", "") LATER)), 0);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vmt_recording_n(rec), 3);
		assert_true(vmt_recording_follows(rec, 1));
		assert_false(vmt_recording_follows(rec, 2));
		if (i == 1)
			assert_int_equal(vmt_record_file_close(f), 0);
		assert_int_equal(vmt_recording_refresh(rec, NULL), 0);
	}
	assert_false(vmt_recording_is_damaged(rec));
}

/* One process, with so many mappings that were read in that way. */
static struct vmt_sample *mapped(size_t i, enum vmt_source_state how, size_t n)
{
	struct vmt_sample *s = any_sample(i);
	size_t k;

	s->n_procs = 1;
	VMT_SET(proc, pid, &s->procs[0], 7);
	VMT_SET(proc, start_time_ns, &s->procs[0], 1);
	s->maps = n || how ? s->maps : NULL;
	if (!s->maps)
		return s;
	s->maps[0].state = how;
	s->maps[0].maps = vmt_arena_alloc(&s->arena, n + 1, sizeof(*s->maps[0].maps));
	s->maps[0].n_maps = n;
	for (k = 0; k < n; k++)
		VMT_SET(map, start, &s->maps[0].maps[k], (k + 1) * 4096);
	return s;
}

/* Mappings that could not be read are not gone, and what there is of them is not all. */
static void mappings_that_were_not_read(void **unused)
{
	static const struct {
		enum vmt_source_state how;
		size_t n;
	} steps[] = {
		{ VMT_STATE_OK, 5 },	  { VMT_STATE_DENIED, 0 }, { VMT_STATE_OK, 5 },
		{ VMT_STATE_PARTIAL, 3 }, { VMT_STATE_FAILED, 0 }, { VMT_STATE_UNUSED, 0 },
		{ VMT_STATE_OK, 6 },	  { VMT_STATE_OK, 0 },	   { VMT_STATE_SKIPPED, 0 },
	};
	struct vmt_sample_json *j;
	size_t first, i;

	assert_int_equal(vmt_sample_json_new(&j), 0);
	/* Each of them is a key sample once, and read before the others. */
	for (first = 0; first < VMT_ARRAY_LEN(steps); first++) {
		struct vmt_sample *key = NULL, *read_key = NULL;

		for (i = 0; i < VMT_ARRAY_LEN(steps); i++) {
			size_t at = (first + i) % VMT_ARRAY_LEN(steps);
			struct vmt_sample *s = mapped(i, steps[at].how, steps[at].n), *got = NULL;
			VMT_AUTO_BUF out = { 0 };

			vmt_sample_json_put(j, &out, s, key, 0);
			assert_int_equal(
				vmt_recorded_sample((struct vmt_bytes){ out.data, out.len - 1 },
						    read_key, &got, NULL),
				0);
			assert_int_equal(got->maps ? got->maps[0].state : VMT_STATE_UNUSED,
					 steps[at].how);
			assert_int_equal(got->maps ? got->maps[0].n_maps : 0, steps[at].n);
			if (key && !steps[at].n && steps[at].how != VMT_STATE_OK)
				assert_null(strstr(out.data, "\"mappings\""));
			if (key) {
				vmt_sample_free(s);
				vmt_sample_free(got);
			} else {
				key = s;
				read_key = got;
				read_key->host.page_size = 4096;
			}
		}
		vmt_sample_free(key);
		vmt_sample_free(read_key);
	}
	vmt_sample_json_free(j);
}

/* Where nobody looked for processes, none is gone; and those of before are not shown as those of
 * now. */
static void processes_that_were_not_looked_for(void **unused)
{
	struct vmt_recorder *r = start(0);
	struct vmt_sample *samples[3], *s;
	VMT_AUTO_RECORDING rec = NULL;
	VMT_AUTO_BUF out = { 0 };
	struct vmt_sample_json *j;
	size_t i;

	for (i = 0; i < 3; i++) {
		samples[i] = any_sample(i);
		samples[i]->sources[VMT_SOURCE_PIDS].state = i == 1 ? VMT_STATE_UNUSED
								    : VMT_STATE_OK;
		samples[i]->n_procs = i == 1 ? 0 : samples[i]->n_procs;
		samples[i]->maps = i == 1 ? NULL : samples[i]->maps;
		assert_int_equal(vmt_recorder_put(r, samples[i], 0, NULL), 0);
	}
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vmt_recording_sample(rec, i, &s, NULL), 0);
		assert_int_equal(s->n_procs, samples[i]->n_procs);
		assert_int_equal(s->sources[VMT_SOURCE_PIDS].state,
				 i == 1 ? VMT_STATE_ABSENT : VMT_STATE_OK);
		vmt_sample_free(s);
	}
	assert_int_equal(vmt_sample_json_new(&j), 0);
	vmt_sample_json_put(j, &out, samples[1], samples[0], 0);
	assert_null(strstr(out.data, "\"processes\""));
	assert_non_null(strstr(out.data, "\"pids\":{\"status\":\"unused\""));
	vmt_sample_json_free(j);
	for (i = 0; i < 3; i++)
		vmt_sample_free(samples[i]);
}

static void j06_another_page_size(void **unused)
{
	static const char *const none[] = { "0", "1", "4097", "4294967296" };
	VMT_AUTO_RECORDING rec = NULL;
	struct vmt_sample *s;
	char remark[256];
	bool damaged;
	size_t i;

	write_lines(HEAD("2", "65536", "") SAMPLE("6", ""));
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_int_equal(vmt_recording_sample(rec, 0, &s, NULL), 0);
	assert_int_equal(s->host.page_size, 65536);
	assert_bytes(s->host.boot_id, "b");
	vmt_sample_free(s);
	for (i = 0; i < VMT_ARRAY_LEN(none); i++) {
		VMT_AUTO_BUF lines = { 0 };

		vmt_buf_addf(&lines, HEAD("2", "%s", "") SAMPLE("6", ""), none[i]);
		write_lines(lines.data);
		assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EBADMSG);
	}
}

static void j07_no_recording(void **unused)
{
	static char zeros[9 << 20];
	char remark[256];
	bool damaged;

	write_file("", 0);
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EBADMSG);
	write_file(zeros, sizeof(zeros));
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EBADMSG);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_all(&damaged, remark, sizeof(remark)), -EBADMSG);
}

static void what_is_no_recording_is_not_touched(void **unused)
{
	static const char words[] = "not a recording";
	struct vmt_record_file *f;
	struct stat st;
	struct vmt_record_found found;

	write_file(words, sizeof(words));
	assert_int_equal(vmt_record_file_open(path, false, &f, &found, NULL), -EBADMSG);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, sizeof(words));
	unlink(path);
	assert_int_equal(symlink("/tmp/nowhere-at-all", path), 0);
	assert_int_equal(vmt_record_file_open(path, false, &f, &found, NULL), -ELOOP);
}

/* Nobody else's file is written to, and none that others can name, too. */
static void a_file_of_others_is_not_touched(void **unused)
{
	struct vmt_buf all = small_file();
	struct vmt_record_found found;
	struct vmt_record_file *f;
	char other[80];
	struct stat st;

	vmt_buf_done(&all);
	assert_int_equal(vmt_record_file_open(path, true, &f, &found, NULL), -EEXIST);
	snprintf(other, sizeof(other), "%s.1", path);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(vmt_record_file_open(path, false, &f, &found, NULL), -EPERM);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(vmt_record_file_open(path, false, &f, &found, NULL), 0);
	assert_int_equal(vmt_record_file_close(f), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(vmt_record_file_open(path, false, &f, &found, NULL), -EPERM);
}

/* What stands behind the frames is cut where it is what a killed recorder leaves, and only then. */
static void what_is_behind_the_frames(void **unused)
{
	static const struct {
		size_t zeros;
		int result;
	} cases[] = { { 2, 0 }, { 100, 0 }, { 2 << 20, -EBADMSG } };
	struct vmt_buf all = small_file();
	struct vmt_record_found found;
	struct vmt_record_file *f;
	struct stat st;
	size_t i;
	int r;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		write_file(all.data, all.len);
		assert_int_equal(truncate(path, (off_t)(all.len + cases[i].zeros)), 0);
		r = vmt_record_file_open(path, false, &f, &found, NULL);
		assert_int_equal(r, cases[i].result);
		assert_int_equal(found.dropped, r < 0 ? 0 : cases[i].zeros);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, all.len + (r < 0 ? cases[i].zeros : 0));
		if (r == 0)
			assert_int_equal(vmt_record_file_close(f), 0);
	}
	vmt_buf_done(&all);
}

static void i01_i02_clocks(void **unused)
{
	struct vmt_host a = { .realtime_ns = 100 * SECOND,
			      .monotonic_ns = 10 * SECOND,
			      .boottime_ns = 20 * SECOND };
	struct vmt_host b = { .realtime_ns = 110 * SECOND,
			      .monotonic_ns = 20 * SECOND,
			      .boottime_ns = 30 * SECOND };

	assert_int_equal(vmt_recorder_suspended(&a, &b), 0);
	assert_int_equal(vmt_recorder_clock_step(&a, &b), 0);
	b.realtime_ns += 3600 * SECOND;
	assert_int_equal(vmt_recorder_suspended(&a, &b), 0);
	assert_int_equal(vmt_recorder_clock_step(&a, &b), 3600 * (int64_t)SECOND);
	assert_int_equal(vmt_recorder_clock_step(&b, &a), -3600 * (int64_t)SECOND);
	/* Suspended for a minute: both of the other clocks went on. */
	b.realtime_ns = 170 * SECOND;
	b.boottime_ns = 90 * SECOND;
	assert_int_equal(vmt_recorder_suspended(&a, &b), 60 * SECOND);
	assert_int_equal(vmt_recorder_clock_step(&a, &b), 0);
}

static void i02_a_suspend_is_a_gap(void **unused)
{
	struct vmt_sample *samples[3];
	struct vmt_recorder *r = start(0);
	VMT_AUTO_RECORDING rec = NULL;
	size_t i;

	put(r, samples, 0, 2);
	samples[2] = any_sample(2);
	samples[2]->host.boottime_ns += 90 * SECOND;
	samples[2]->host.realtime_ns += 90 * SECOND;
	assert_int_equal(vmt_recorder_put(r, samples[2], 0, NULL), 0);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_true(vmt_recording_follows(rec, 1));
	assert_false(vmt_recording_follows(rec, 2));
	assert_non_null(strstr(vmt_recording_remark(rec, 0), "(suspended) for 90.0s"));
	assert_false(vmt_recording_is_damaged(rec));
	for (i = 0; i < 3; i++)
		vmt_sample_free(samples[i]);
}

/* What says that the clock was set does not take away the gap that the line before it has said. */
static void i02_a_suspend_with_another_clock_is_a_gap(void **unused)
{
	struct vmt_sample *samples[3];
	struct vmt_recorder *r = start(0);
	VMT_AUTO_RECORDING rec = NULL;
	size_t i;

	put(r, samples, 0, 2);
	samples[2] = any_sample(2);
	samples[2]->host.boottime_ns += 90 * SECOND;
	samples[2]->host.realtime_ns += 3690 * SECOND;
	assert_int_equal(vmt_recorder_put(r, samples[2], 0, NULL), 0);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	assert_int_equal(vmt_recording_open(path, &rec, NULL), 0);
	assert_non_null(strstr(vmt_recording_remark(rec, 0), "(suspended)"));
	assert_non_null(strstr(vmt_recording_remark(rec, 1), "set forward"));
	assert_true(vmt_recording_follows(rec, 1));
	assert_false(vmt_recording_follows(rec, 2));
	for (i = 0; i < 3; i++)
		vmt_sample_free(samples[i]);
}

static int read_last(void *arg)
{
	struct vmt_sample *const *whole = arg;
	VMT_AUTO_RECORDING rec = NULL;
	VMT_AUTO_SAMPLE s = NULL;
	int r = vmt_recording_open(path, &rec, NULL);

	if (r == 0) {
		assert_int_equal(vmt_recording_n(rec), 2);
		r = vmt_recording_sample(rec, 1, &s, NULL);
	}
	if (r == 0)
		same_sample(*whole, s);
	return r;
}

/* Whichever allocation fails, there is no sample, or all of it. */
static void failing_allocations(void **unused)
{
	struct vmt_sample *samples[2];
	struct vmt_recorder *r;

	sparse = 40;
	r = start(0);
	put(r, samples, 0, 2);
	assert_int_equal(vmt_recorder_close(r, "test", NULL), 0);
	sparse = 1;
	assert_true(unit_piece_sweep(read_last, &samples[1]) > 10);
	vmt_sample_free(samples[0]);
	vmt_sample_free(samples[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_is_written_is_read),
		TEST(j01_truncated_at_every_byte),
		TEST(j02_a_bit_is_flipped),
		TEST(j03_other_versions),
		TEST(j04_hostile_lines),
		TEST(j04_bomb),
		TEST(j05_killed_while_a_frame_is_packed),
		TEST(j05_an_unfinished_frame_is_finished),
		TEST(j05_grows_while_it_is_read),
		TEST(j05_is_packed_while_it_is_read),
		TEST(j05_an_unfinished_frame_is_read_again),
		TEST(mappings_that_were_not_read),
		TEST(processes_that_were_not_looked_for),
		TEST(j06_another_page_size),
		TEST(j07_no_recording),
		TEST(what_is_no_recording_is_not_touched),
		TEST(a_file_of_others_is_not_touched),
		TEST(what_is_behind_the_frames),
		TEST(i01_i02_clocks),
		TEST(i02_a_suspend_is_a_gap),
		TEST(i02_a_suspend_with_another_clock_is_a_gap),
		TEST(failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
