/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"

/* What the screens of mappings and of pages have in common. */

/* "PID 30012 python3", cut where it would take too much; the column behind it. */
unsigned vmt_draw_process(struct vmt_canvas *c, unsigned y, const struct vmt_proc *p);
/* "7f1ccae00000-7f1ccee00000" */
unsigned vmt_draw_range(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			const struct vmt_map *m);
/* Why a process has no mappings on the screen: p, or NULL where pid is not there (0: none was
 * chosen). was: it had some before. */
void vmt_draw_no_maps(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_proc *p,
		      uint64_t pid, bool was);
/* A line and five below it: what smaps says of a mapping beyond the columns; m may be NULL. */
void vmt_vma_detail(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_map *m);
