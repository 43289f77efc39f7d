/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/ui.h"

/*
 * What a terminal sends, as keys: UTF-8, the sequences of ECMA-48 that the terminals of today send
 * for keys, those of this terminal's description beside them, the mouse (xterm's X10 and SGR
 * encodings) and bracketed paste. Bytes go in, events come out; it knows neither a terminal nor a
 * clock. What is not understood is dropped whole, however long it is.
 */

/* Bytes that are taken in at once. */
#define VMT_INPUT_BYTES 65536

/* A sequence longer than this is none of a key. */
#define VMT_SEQUENCE_MAX 64

/* After this silence an ESC is the key of that name, and half of something is nothing. */
#define VMT_INPUT_ESC_MS 25
/* A terminal that began a paste and says nothing for so long has forgotten to end it. */
#define VMT_INPUT_PASTE_MS 2000

/* A key of the terminal's description. */
struct vmt_input_key {
	char *text; /* heap; begins with ESC */
	uint32_t key;
};

struct vmt_input {
	char buf[VMT_INPUT_BYTES];
	size_t len, at; /* bytes of buf, and of them those that were taken */
	bool pasting;
	bool skipping; /* inside of a sequence that is too long */
	struct vmt_input_key *keys; /* heap */
	size_t n_keys, cap_keys;
};

void vmt_input_done(struct vmt_input *in);
/* What the terminal sends for a key; sequences that do not begin with ESC are left out. 0 or
 * -ENOMEM. */
int vmt_input_learn(struct vmt_input *in, const char *text, uint32_t key);
/* Room for more bytes: where they go, and how many. Before it, take what there is. */
char *vmt_input_room(struct vmt_input *in, size_t *ret_n);
/* n bytes were written there. */
void vmt_input_add(struct vmt_input *in, size_t n);
/* The next event; false where it takes more bytes, or silence, to know it. */
bool vmt_input_next(struct vmt_input *in, struct vmt_ui_event *ret);
/* After how many ms without a byte to call vmt_input_silence(); -1 where nothing is pending. */
int vmt_input_wait_ms(const struct vmt_input *in);
/* Nothing came for that long: true with the key that it was after all. */
bool vmt_input_silence(struct vmt_input *in, struct vmt_ui_event *ret);
