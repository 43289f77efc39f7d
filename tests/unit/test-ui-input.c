/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "cmd/ui/input.h"

/* Keys of a terminal, as they come in. */

struct heard {
	struct vmt_input in;
	struct vmt_ui_event events[64];
	size_t n;
};

static struct heard *hear_new(void)
{
	struct heard *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

static void hear_free(struct heard *h)
{
	vmt_input_done(&h->in);
	free(h);
}

static void take(struct heard *h)
{
	struct vmt_ui_event event;

	while (vmt_input_next(&h->in, &event))
		if (h->n < VMT_ARRAY_LEN(h->events))
			h->events[h->n++] = event;
}

static void hear(struct heard *h, const char *bytes, size_t len)
{
	while (len) {
		size_t room;
		char *to = vmt_input_room(&h->in, &room);

		assert_true(room > 0);
		room = room < len ? room : len;
		memcpy(to, bytes, room);
		vmt_input_add(&h->in, room);
		bytes += room;
		len -= room;
		take(h);
	}
}

static void silence(struct heard *h)
{
	struct vmt_ui_event event;

	assert_true(vmt_input_wait_ms(&h->in) > 0);
	if (vmt_input_silence(&h->in, &event))
		h->events[h->n++] = event;
	assert_int_equal(vmt_input_wait_ms(&h->in), -1);
}

/* That these bytes are these keys, in whatever pieces they come. */
static void check(const char *bytes, size_t len, const uint32_t *keys, size_t n)
{
	size_t cut, i;

	for (cut = 0; cut <= len; cut++) {
		struct heard *h = hear_new();

		hear(h, bytes, cut);
		hear(h, bytes + cut, len - cut);
		assert_int_equal(h->n, n);
		for (i = 0; i < n; i++)
			assert_int_equal(h->events[i].key, keys[i]);
		assert_int_equal(vmt_input_wait_ms(&h->in), -1);
		hear_free(h);
	}
}

#define CHECK(bytes, ...)                                                                          \
	do {                                                                                       \
		const uint32_t keys_[] = { __VA_ARGS__ };                                          \
		check(bytes, sizeof(bytes) - 1, keys_, VMT_ARRAY_LEN(keys_));                      \
	} while (0)

static void characters_and_controls(void **state)
{
	CHECK("aZ~ ", 'a', 'Z', '~', ' ');
	CHECK("\r\n\t\x7f\b\x04\x15", VMT_KEY_ENTER, VMT_KEY_ENTER, VMT_KEY_TAB, VMT_KEY_BACKSPACE,
	      VMT_KEY_BACKSPACE, 4, 0x15);
	CHECK("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", 0xe4, 0x20ac, 0x1f427);
	/* What is no UTF-8 is nothing, and hides nothing. */
	CHECK("\xff"
	      "a\xc3"
	      "b\xed\xa0\x80"
	      "c\xf4\x90\x80\x80"
	      "d\xc0\x80"
	      "e",
	      'a', 'b', 'c', 'd', 'e');
}

static void keys_without_characters(void **state)
{
	CHECK("\033[A\033[B\033[C\033[D\033[H\033[F\033[Z", VMT_KEY_UP, VMT_KEY_DOWN, VMT_KEY_RIGHT,
	      VMT_KEY_LEFT, VMT_KEY_HOME, VMT_KEY_END, VMT_KEY_BACK_TAB);
	CHECK("\033OA\033OB\033OC\033OD\033OH\033OF\033OM", VMT_KEY_UP, VMT_KEY_DOWN, VMT_KEY_RIGHT,
	      VMT_KEY_LEFT, VMT_KEY_HOME, VMT_KEY_END, VMT_KEY_ENTER);
	CHECK("\033[1~\033[2~\033[3~\033[4~\033[5~\033[6~\033[7~\033[8~", VMT_KEY_HOME,
	      VMT_KEY_INSERT, VMT_KEY_DELETE, VMT_KEY_END, VMT_KEY_PAGE_UP, VMT_KEY_PAGE_DOWN,
	      VMT_KEY_HOME, VMT_KEY_END);
	/* F1 of xterm, rxvt and the console; with Shift; F5, F10, F12. */
	CHECK("\033OP\033[11~\033[[A\033[1;2P\033[15~\033[21~\033[24~\033[[E", VMT_KEY_F1,
	      VMT_KEY_F1, VMT_KEY_F1, VMT_KEY_F1, VMT_KEY_F1 + 4, VMT_KEY_F10, VMT_KEY_F12,
	      VMT_KEY_F1 + 4);
	/* With modifiers they are the same keys. */
	CHECK("\033[1;5A\033[6;3~", VMT_KEY_UP, VMT_KEY_PAGE_DOWN);
}

static void what_means_nothing(void **state)
{
	/* Focus, cursor reports, device attributes, unknown ones. */
	CHECK("\033[I\033[24;80Z\033[?62;c\033[99~\033[9999999999999~x", VMT_KEY_BACK_TAB, 'x');
	CHECK("\033O1\033[[Zx", 'x');
	CHECK("\033\033[A", VMT_KEY_ESC, VMT_KEY_UP);
	CHECK("\033x", VMT_KEY_ESC, 'x');
}

static void esc_is_a_key_after_silence(void **state)
{
	struct heard *h = hear_new();

	hear(h, "\033", 1);
	assert_int_equal(h->n, 0);
	assert_int_equal(vmt_input_wait_ms(&h->in), VMT_INPUT_ESC_MS);
	silence(h);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->events[0].key, VMT_KEY_ESC);
	hear_free(h);
}

static void g10_half_sequences_are_dropped(void **state)
{
	static const char *const halves[] = { "\033[",	  "\033O",    "\033[1",
					      "\033[1;2", "\033[<0",  "\033[M",
					      "\033[M !", "\xf0\x9f", "\033[[" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(halves); i++) {
		struct heard *h = hear_new();

		hear(h, halves[i], strlen(halves[i]));
		silence(h);
		hear(h, "x", 1);
		assert_int_equal(h->n, 1);
		assert_int_equal(h->events[0].key, 'x');
		hear_free(h);
	}
}

static void g10_endless_sequences_are_dropped(void **state)
{
	struct heard *h = hear_new();
	char digits[10000];

	memset(digits, '1', sizeof(digits));
	hear(h, "\033[", 2);
	hear(h, digits, sizeof(digits));
	assert_int_equal(h->n, 0);
	hear(h, "~x", 2);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->events[0].key, 'x');
	hear_free(h);
}

static void g10_the_mouse(void **state)
{
	struct heard *h = hear_new();

	/* SGR: press, release, wheel with Shift, motion, other buttons, out of range. */
	static const char text[] = "\033[<0;5;3M\033[<0;5;3m\033[<68;1;1M\033[<65;200;300M"
				   "\033[<35;2;2M\033[<2;1;1M\033[<0;0;0M\033[<0;1M\033[<M";
	/* X10: press at column 5, line 3. */
	static const char old[] = "\033[M %#", none[] = "\033[M \003!\033[M ! \033[M  !";

	hear(h, text, sizeof(text) - 1);
	assert_int_equal(h->n, 3);
	assert_int_equal(h->events[0].key, VMT_KEY_CLICK);
	assert_int_equal(h->events[0].x, 4);
	assert_int_equal(h->events[0].y, 2);
	assert_int_equal(h->events[1].key, VMT_KEY_WHEEL_UP);
	assert_int_equal(h->events[2].key, VMT_KEY_WHEEL_DOWN);
	assert_int_equal(h->events[2].x, 199);
	assert_int_equal(h->events[2].y, 299);
	hear(h, old, sizeof(old) - 1);
	assert_int_equal(h->n, 4);
	assert_int_equal(h->events[3].key, VMT_KEY_CLICK);
	assert_int_equal(h->events[3].x, 4);
	assert_int_equal(h->events[3].y, 2);
	/* Bytes that are no place. */
	hear(h, none, sizeof(none) - 1);
	assert_int_equal(h->n, 4);
	hear_free(h);
}

/* Whether it comes at once or byte by byte. */
static void g10_a_sequence_too_long_is_no_key(void **state)
{
	struct heard *once = hear_new(), *slowly = hear_new();
	char text[80];
	size_t i;

	memset(text, '1', sizeof(text));
	memcpy(text, "\033[", 2);
	text[sizeof(text) - 2] = 'A';
	text[sizeof(text) - 1] = 'q';
	hear(once, text, sizeof(text));
	for (i = 0; i < sizeof(text); i++)
		hear(slowly, text + i, 1);
	assert_int_equal(once->n, 1);
	assert_int_equal(once->events[0].key, 'q');
	assert_int_equal(slowly->n, 1);
	assert_int_equal(slowly->events[0].key, 'q');
	hear_free(once);
	hear_free(slowly);
}

static void g10_what_is_pasted_is_no_key(void **state)
{
	static const char text[] = "\033[200~q\r\033[A\003\xc3\xa4\033[20\033[201~q";
	static const uint32_t pasted[] = { 'q', '\n', '[', 'A', 3, 0xe4, '[', '2', '0' };
	struct heard *h = hear_new();
	size_t i;

	hear(h, text, sizeof(text) - 1);
	assert_int_equal(h->n, VMT_ARRAY_LEN(pasted) + 1);
	for (i = 0; i < VMT_ARRAY_LEN(pasted); i++) {
		assert_int_equal(h->events[i].key, VMT_KEY_PASTE);
		assert_int_equal(h->events[i].pasted, pasted[i]);
	}
	assert_int_equal(h->events[i].key, 'q');
	hear_free(h);
}

static void g10_a_paste_without_end_ends_by_silence(void **state)
{
	struct heard *h = hear_new();

	hear(h, "\033[200~a", 7);
	assert_int_equal(vmt_input_wait_ms(&h->in), VMT_INPUT_PASTE_MS);
	silence(h);
	hear(h, "b", 1);
	assert_int_equal(h->n, 2);
	assert_int_equal(h->events[0].key, VMT_KEY_PASTE);
	assert_int_equal(h->events[1].key, 'b');
	hear_free(h);
}

static void keys_of_a_description(void **state)
{
	struct heard *h = hear_new();

	assert_int_equal(vmt_input_learn(&h->in, "\033~A", VMT_KEY_UP), 0);
	assert_int_equal(vmt_input_learn(&h->in, "\033[A", VMT_KEY_DOWN), 0);
	/* Not of ESC: a key that is typed as well. */
	assert_int_equal(vmt_input_learn(&h->in, "x", VMT_KEY_UP), 0);
	hear(h, "\033~", 2);
	assert_int_equal(h->n, 0);
	hear(h, "A\033[Ax\033~B", 8);
	assert_int_equal(h->n, 6);
	assert_int_equal(h->events[0].key, VMT_KEY_UP);
	assert_int_equal(h->events[1].key, VMT_KEY_DOWN);
	assert_int_equal(h->events[2].key, 'x');
	assert_int_equal(h->events[3].key, VMT_KEY_ESC);
	assert_int_equal(h->events[4].key, '~');
	hear_free(h);
}

static int learn_sweep(void *arg)
{
	struct vmt_input *in = arg;
	int r = vmt_input_learn(in, "\033~A", VMT_KEY_UP);

	vmt_input_done(in);
	return r;
}

static void without_memory(void **state)
{
	struct heard *h = hear_new();

	assert_true(unit_alloc_sweep(learn_sweep, &h->in) > 0);
	hear_free(h);
}

/* Whatever comes: it ends, and after some silence a key is a key. */
static void g10_noise(void **state)
{
	struct heard *h = hear_new();
	uint32_t x = 1;
	size_t i, k;

	for (i = 0; i < 2000; i++) {
		char bytes[257];

		for (k = 0; k < sizeof(bytes); k++) {
			x = x * 1664525 + 1013904223;
			/* Sequences are more frequent than chance has them. */
			bytes[k] = (x >> 28) < 3 ? "\033[O"[x >> 28] : (char)(x >> 16);
		}
		hear(h, bytes, sizeof(bytes));
		h->n = 0;
	}
	if (vmt_input_wait_ms(&h->in) >= 0)
		silence(h);
	h->n = 0;
	hear(h, "x", 1);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->events[0].key, 'x');
	hear_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_and_controls),
		cmocka_unit_test(keys_without_characters),
		cmocka_unit_test(what_means_nothing),
		cmocka_unit_test(esc_is_a_key_after_silence),
		cmocka_unit_test(g10_half_sequences_are_dropped),
		cmocka_unit_test(g10_endless_sequences_are_dropped),
		cmocka_unit_test(g10_the_mouse),
		cmocka_unit_test(g10_a_sequence_too_long_is_no_key),
		cmocka_unit_test(g10_what_is_pasted_is_no_key),
		cmocka_unit_test(g10_a_paste_without_end_ends_by_silence),
		cmocka_unit_test(keys_of_a_description),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(g10_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
