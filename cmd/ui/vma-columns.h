/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/table.h"

/* The columns of the VMAs screen, and what they draw beside the fields of a mapping. */

struct vmt_history;

/* Faults of a mapping since the sample before. */
struct vmt_vma_rate {
	const struct vmt_fault *row;
	uint64_t start;
	uint64_t total;
	uint64_t milli, major_milli; /* a second */
	bool known, major_known;
};

struct vmt_vma_columns {
	unsigned strip_cells; /* of the pictures that were drawn last; 0 before */
	unsigned zoom; /* they are twice as long so many times */
	/* Faults, while a probe counts them; in order of address. */
	struct vmt_vma_rate *rates;
	size_t n_rates;
	struct vmt_history *history; /* faults of a sample, by the first address */
};

/* What there is; the screen's. */
struct vmt_vma_columns *vmt_vma_columns_of(const struct vmt_ui *ui);

int vmt_vma_columns_init(struct vmt_vma_columns *v);
void vmt_vma_columns_done(struct vmt_vma_columns *v);
/* There is a new model, with these mappings of the process (NULL: it is not there). 0 or -ENOMEM.
 */
int vmt_vma_count_faults(struct vmt_vma_columns *v, const struct vmt_model *m, uint64_t pid,
			 const struct vmt_proc_maps *maps);
/* Gives the picture of residency the width that was chosen, as far as the terminal has it. */
void vmt_vma_columns_fit(struct vmt_vma_columns *v, struct vmt_table *t, unsigned width);
/* Makes it twice as long, or half; false where that is not to be had. */
bool vmt_vma_columns_zoom(struct vmt_vma_columns *v, bool in, unsigned width);
/* A rate as vmt_ui_milli() has it; "-" where it is not known. */
void vmt_vma_rate_text(struct vmt_buf *out, bool known, uint64_t milli, unsigned width);

/* What the probe knows of the faults of a mapping since the sample before; false where it had none,
 * or nobody counts, and nothing was drawn. */
bool vmt_vma_draw_faults(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y,
			 const struct vmt_map *m);

/* Mappings one by one, and summed by file. */
extern const struct vmt_table_def vmt_vmas_by_map, vmt_vmas_by_file;
