/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* How sizes are written in text. Documents for machines always hold bytes. */
enum vmt_size_unit {
	VMT_SIZE_HUMAN, /* 1.25M: powers of 1024, three significant digits */
	VMT_SIZE_BYTES,
	VMT_SIZE_KIB,
	VMT_SIZE_MIB,
	VMT_SIZE_GIB,
	VMT_SIZE_PAGES,
};

/*
 * The one way from kernel bytes to a terminal: UTF-8 is decoded strictly; C0, DEL, C1,
 * bidirectional controls, zero-width and other format characters, noncharacters and bytes that are
 * no UTF-8 come out as \xNN, byte by byte; a backslash stays as it is. With ascii nothing above
 * 0x7e is left.
 */
void vmt_fmt_safe(struct vmt_buf *out, struct vmt_bytes text, bool ascii);

/* "1234 (cat)" in ASCII, safe for a terminal; "1234" where comm is NULL, for it is not known. */
void vmt_fmt_process(struct vmt_buf *out, uint64_t pid, const struct vmt_bytes *comm);

/* Code points that would move, hide or reorder what stands around them on a terminal. */
bool vmt_fmt_is_unsafe(uint32_t code);

/* Length of the well-formed UTF-8 sequence at the front of text (1..4), or 0 where there is none;
 * *ret_code is its code point. Surrogates and overlong forms are not well formed (RFC 3629). */
size_t vmt_utf8_take(struct vmt_bytes text, uint32_t *ret_code);

/* page_size in bytes is needed for VMT_SIZE_PAGES only. */
void vmt_fmt_size(struct vmt_buf *out, uint64_t bytes, enum vmt_size_unit unit, uint64_t page_size);
/* The same with a sign; for differences. */
void vmt_fmt_size_signed(struct vmt_buf *out, int64_t bytes, enum vmt_size_unit unit,
			 uint64_t page_size);
/* 850ns, 3.81us, 64.0ms, 1.25s */
void vmt_fmt_duration(struct vmt_buf *out, uint64_t ns);
/* 2026-11-21T00:38:24.799Z, in UTC, from ns since 1970 */
void vmt_fmt_time(struct vmt_buf *out, uint64_t realtime_ns);
/* A word in a shell's single quotes where it needs them; for commands that a user may paste. */
void vmt_fmt_shell(struct vmt_buf *out, const char *word);
