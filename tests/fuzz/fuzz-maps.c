/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps and smaps, in pieces: wherever the text is cut, the rows and the errors are the same, and
 * rows are in order. The first byte says how long the pieces are, its top bit which of the two.
 */
#include "fuzz.h"
#include "source/maps.h"

static int read_all(struct vmt_maps_parser *p, struct vmt_bytes text, size_t piece,
		    struct vmt_err *err)
{
	while (text.len) {
		size_t n = piece && piece < text.len ? piece : text.len;
		int r = vmt_maps_feed(p, (struct vmt_bytes){ text.ptr, n }, "smaps", err);

		if (r < 0)
			return r;
		text.ptr += n;
		text.len -= n;
	}
	return vmt_maps_finish(p, "smaps", err);
}

static void check_rows(const struct vmt_maps_parser *p)
{
	size_t i;

	for (i = 0; i < p->n_maps; i++) {
		const struct vmt_map *m = &p->maps[i];

		CHECK(m->start < m->end);
		CHECK(i == 0 || p->maps[i - 1].end <= m->start);
		CHECK(m->size_bytes == m->end - m->start);
		CHECK(m->perms.len == 4);
		CHECK(m->path.len == 0 || m->path.ptr);
		CHECK(!memchr(m->path.ptr ? m->path.ptr : "", '\n', m->path.len));
		if (p->smaps) {
			CHECK(VMT_HAS(map, other, m));
			fuzz_other(m->other);
		}
		if (VMT_HAS(map, uss_bytes, m))
			CHECK(m->uss_bytes >= m->private_dirty_bytes);
		if (VMT_HAS(map, file_bytes, m))
			CHECK(m->file_bytes <= m->rss_bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size);
	bool smaps = choice & 0x80;
	struct vmt_maps_parser whole, cut;
	struct vmt_err whole_err = { 0 }, cut_err = { 0 };
	struct vmt_arena arena;
	size_t i;
	int a, b;

	vmt_arena_init(&arena);
	vmt_maps_init(&whole, smaps, 42, &arena, NULL);
	vmt_maps_init(&cut, smaps, 42, &arena, NULL);
	a = read_all(&whole, fuzz_text(data, size), 0, &whole_err);
	b = read_all(&cut, fuzz_text(data, size), choice & 0x7f, &cut_err);
	CHECK(a == b);
	CHECK(whole_err.line == cut_err.line);
	CHECK(whole.n_maps == cut.n_maps);
	CHECK(whole.print == cut.print);
	CHECK(whole.unknown_keys == cut.unknown_keys);
	for (i = 0; i < whole.n_maps; i++) {
		CHECK(memcmp(&whole.maps[i].row, &cut.maps[i].row, sizeof(whole.maps[i].row)) == 0);
		CHECK(vmt_bytes_equal(whole.maps[i].path, cut.maps[i].path));
		CHECK(vmt_bytes_equal(whole.maps[i].kind, cut.maps[i].kind));
	}
	if (a == 0)
		check_rows(&whole);
	vmt_maps_done(&whole);
	vmt_maps_done(&cut);
	vmt_arena_done(&arena);
	return 0;
}
