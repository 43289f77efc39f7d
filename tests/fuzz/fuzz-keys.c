/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a terminal sends. The first byte says in which pieces it comes, the second how long a
 * sequence behind it is that the description of the terminal has for a key.
 */
#include "cmd/ui/input.h"
#include "fuzz.h"

#define EVENTS 8192

struct heard {
	struct vmt_input in;
	struct vmt_ui_event events[EVENTS];
	size_t n;
};

static bool is_key(const struct vmt_ui_event *e)
{
	switch (e->key) {
	case VMT_KEY_CLICK:
	case VMT_KEY_WHEEL_UP:
	case VMT_KEY_WHEEL_DOWN:
		/* What parameters of a sequence can say; more is no place of a terminal. */
		return e->y < 1000000 && e->x < 1000000 && !e->pasted;
	case VMT_KEY_PASTE:
		return e->pasted && e->pasted < 0x110000 && e->pasted != VMT_KEY_ESC;
	default:
		return e->key && e->key < VMT_KEY_CLICK && !e->pasted && !e->y && !e->x &&
		       (e->key < 0xd800 || e->key > 0xdfff);
	}
}

/* All that it hears of bytes that come in such pieces. */
static struct heard *hear(const char *learned, const uint8_t *data, size_t size, size_t piece)
{
	struct heard *h = calloc(1, sizeof(*h));
	struct vmt_ui_event e;

	CHECK(h && vmt_input_learn(&h->in, learned, VMT_KEY_F12) == 0);
	while (size) {
		size_t room, n = size < piece ? size : piece;
		char *to = vmt_input_room(&h->in, &room);

		/* However long a sequence is, it does not fill the room. */
		CHECK(room > sizeof(h->in.buf) / 2);
		n = n < room ? n : room;
		memcpy(to, data, n);
		vmt_input_add(&h->in, n);
		data += n;
		size -= n;
		while (vmt_input_next(&h->in, &e)) {
			CHECK(is_key(&e) && h->n < EVENTS);
			h->events[h->n++] = e;
		}
		CHECK(vmt_input_wait_ms(&h->in) > 0 || h->in.at == h->in.len);
	}
	return h;
}

/* After silence nothing is left of it, and a key that comes then is that key. */
static void silence(struct heard *h)
{
	struct vmt_ui_event e;
	size_t room;
	char *to;

	if (vmt_input_silence(&h->in, &e))
		CHECK(e.key == VMT_KEY_ESC);
	CHECK(vmt_input_wait_ms(&h->in) == -1);
	to = vmt_input_room(&h->in, &room);
	CHECK(room == sizeof(h->in.buf));
	*to = 'q';
	vmt_input_add(&h->in, 1);
	CHECK(vmt_input_next(&h->in, &e) && e.key == 'q' && !vmt_input_next(&h->in, &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = fuzz_choice(&data, &size) % 9 + 1, len = fuzz_choice(&data, &size) % 16;
	char learned[16] = { 0 };
	struct heard *whole, *pieces;

	len = len < size ? len : size;
	memcpy(learned, data, len);
	data += len;
	size -= len;
	whole = hear(learned, data, size, SIZE_MAX);
	pieces = hear(learned, data, size, piece);
	/* The same, however it is cut. */
	CHECK(whole->n == pieces->n);
	CHECK(memcmp(whole->events, pieces->events, whole->n * sizeof(*whole->events)) == 0);
	silence(whole);
	silence(pieces);
	vmt_input_done(&whole->in);
	vmt_input_done(&pieces->in);
	free(whole);
	free(pieces);
	return 0;
}
