/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "view/doc.h"
#include "view/svg.h"

/* What a picture is made of, beside the model. */
struct vmt_picture_ask {
	const struct vmt_model *model;
	const struct vmt_out_opts *opts;
	uint64_t pid; /* of the process that it is of; 0: the machine */
	bool alone; /* it is the document, and has its title in it */
	const struct vmt_section *section; /* that it is of, where it is of one */
	uint64_t largest; /* size in it, where that is more than MemTotal, or MemTotal not known */
};

/*
 * A picture, and its text: a table, which says what the picture shows, for who cannot see it or
 * wants the figures. All is made of the model alone.
 */
struct vmt_picture {
	const char *name; /* that --only takes */
	const char *title;
	/* False where there is nothing to draw; why is one sentence about that, safe. */
	bool (*has)(const struct vmt_picture_ask *ask, struct vmt_buf *why);
	/* Draws what there is. 0 or -ENOMEM; misuse of x is left to vmt_xml_finish(). */
	int (*draw)(struct vmt_xml *x, const struct vmt_picture_ask *ask);
	/* Below it, in a page. The same. */
	int (*tell)(struct vmt_xml *x, const struct vmt_picture_ask *ask);
};

/* Bits of vmt_doc.pictures. */
enum vmt_picture_id {
	VMT_PICTURE_MEMORY,
	VMT_PICTURE_PROCESSES,
	VMT_PICTURE_MAPS, /* one for each process that is named */
	VMT_PICTURE_FLAME,
	VMT_PICTURE_HEAT,
	VMT_PICTURES, /* of report */
	VMT_PICTURE_GROWTH = VMT_PICTURES, /* of diff: one for each section that people read */
	VMT_PICTURES_ALL,
};

extern const struct vmt_picture vmt_picture_memory;
extern const struct vmt_picture vmt_picture_processes;
extern const struct vmt_picture vmt_picture_maps;
extern const struct vmt_picture vmt_picture_flame;
extern const struct vmt_picture vmt_picture_heat;
extern const struct vmt_picture vmt_picture_growth;

/* By enum vmt_picture_id. */
extern const struct vmt_picture *const vmt_pictures[VMT_PICTURES_ALL];

/*
 * A size as all pictures have it: in the unit that -k and its like say where the largest, or
 * MemTotal, has at most eight digits in it, else scaled, with a letter, which fits everywhere. The
 * table below has the figures in the unit that was asked for.
 */
void vmt_picture_size(struct vmt_buf *out, const struct vmt_picture_ask *ask, uint64_t bytes);
void vmt_picture_signed(struct vmt_buf *out, const struct vmt_picture_ask *ask, int64_t bytes);
/* The same in the class "m" or "n", at a place; "-" where known is false. */
void vmt_picture_put_size(struct vmt_xml *x, const struct vmt_picture_ask *ask, const char *class,
			  int64_t left, int64_t y, bool known, uint64_t bytes);
/* The first line of a picture that stands alone; how much it takes, 0 in a page. */
int64_t vmt_picture_title(struct vmt_xml *x, const struct vmt_picture_ask *ask,
			  struct vmt_bytes title);
#define VMT_PICTURE_TITLE 340
