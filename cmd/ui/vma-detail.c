/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/vma-detail.h"

#include <inttypes.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/vma-columns.h"
#include "model/vm-flags.h"

unsigned vmt_draw_process(struct vmt_canvas *c, unsigned y, const struct vmt_proc *p)
{
	unsigned x = vmt_canvas_putf(c, y, 0, VMT_STYLE_STRONG, "PID %" PRIu64 " ", p->pid);
	unsigned width = VMT_HAS(proc, comm, p) ? vmt_text_width(p->comm, c->ascii) : 0;

	vmt_canvas_value(c, y, 0, x - 1, &vmt_entity_proc, VMT_FIELD_proc_pid, p);
	if (!width)
		return vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "-");
	return vmt_draw_text(c, y, x, 16, VMT_STYLE_STRONG, &vmt_entity_proc, VMT_FIELD_proc_comm,
			     p);
}

unsigned vmt_draw_range(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			const struct vmt_map *m)
{
	unsigned end = vmt_canvas_putf(c, y, x, style, "%012" PRIx64 "-", m->start);

	vmt_canvas_value(c, y, x, end - 1 - x, &vmt_entity_map, VMT_FIELD_map_start, m);
	x = end;
	end = vmt_canvas_putf(c, y, x, style, "%012" PRIx64, m->end);
	vmt_canvas_value(c, y, x, end - x, &vmt_entity_map, VMT_FIELD_map_end, m);
	return end;
}

void vmt_draw_no_maps(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_proc *p,
		      uint64_t pid, bool was)
{
	if (!p && !pid)
		vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM,
				ui->opts.live ? "reading ..." : "no process here has mappings");
	else if (!p)
		vmt_draw_figure(c, y, 1, VMT_STYLE_WARNING, &vmt_figure_reason, NULL, 0,
				"process %" PRIu64 " is not there%s", pid, was ? " any more" : "");
	else if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "kernel"))
		vmt_canvas_puts(c, y, 1, VMT_STYLE_NORMAL,
				"a kernel thread: it has no memory of its own");
	else if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "zombie"))
		vmt_canvas_puts(c, y, 1, VMT_STYLE_NORMAL, "a zombie: its memory is given back");
	else if (VMT_HAS(proc, read_status, p) && !vmt_bytes_is(p->read_status, "ok"))
		vmt_canvas_putf(c, y, 1, VMT_STYLE_WARNING,
				"its mappings cannot be read: %.*s (! says why)",
				(int)p->read_status.len, p->read_status.ptr);
	else
		vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM, "it has no mappings");
}

/* A word as smaps has it, and its value. */
static unsigned figure(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       const char *word, unsigned field, const struct vmt_map *m)
{
	return vmt_draw_named(ui, c, y, x, word, 0, VMT_STYLE_STRONG, &vmt_entity_map, field, m);
}

/* What each of the codes means. */
static void draw_flags(struct vmt_canvas *c, unsigned y, const struct vmt_map *m)
{
	const char *p = m->vm_flags.ptr, *end = p + m->vm_flags.len;
	VMT_AUTO_BUF text = { 0 };

	if (!VMT_HAS(map, vm_flags, m))
		return;
	while (end - p >= 2) {
		const char *name;

		if (*p == ' ') {
			p++;
			continue;
		}
		name = vmt_vm_flag_name(p);
		vmt_buf_addf(&text, "%s%.2s %s", text.len ? "  " : "", p, name ? name : "?");
		p += 2;
	}
	if (vmt_buf_error(&text) < 0 || !c->width)
		return;
	vmt_canvas_bytes(c, y, 1, c->width - 1, VMT_STYLE_DIM,
			 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_LEFT);
	vmt_canvas_value(c, y, 1, c->width - 1, &vmt_entity_map, VMT_FIELD_map_vm_flags, m);
}

/* RSS as the sum that it is. */
static void draw_sum(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_map *m)
{
	static const struct {
		const char *word;
		unsigned field;
	} figures[] = {
		{ " Rss ", VMT_FIELD_map_rss_bytes },
		{ " = Shared_Clean ", VMT_FIELD_map_shared_clean_bytes },
		{ " + Shared_Dirty ", VMT_FIELD_map_shared_dirty_bytes },
		{ " + Private_Clean ", VMT_FIELD_map_private_clean_bytes },
		{ " + Private_Dirty ", VMT_FIELD_map_private_dirty_bytes },
		{ "   Referenced ", VMT_FIELD_map_referenced_bytes },
		{ "   Anonymous ", VMT_FIELD_map_anonymous_bytes },
		{ "   LazyFree ", VMT_FIELD_map_lazy_free_bytes },
		{ "   Locked ", VMT_FIELD_map_locked_bytes },
	};
	unsigned x = 0;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(figures); i++)
		x = figure(ui, c, y, x, figures[i].word, figures[i].field, m);
}

void vmt_vma_detail(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_map *m)
{
	const struct vmt_source_stat *smaps = &ui->model->sample->sources[VMT_SOURCE_SMAPS];
	unsigned x;

	vmt_canvas_fill(c, y, 0, VMT_STYLE_DIM, VMT_GLYPH_LINE, c->width);
	if (!m)
		return;
	x = vmt_draw_range(c, y + 1, 1, VMT_STYLE_STRONG, m);
	x = figure(ui, c, y + 1, x, "   VmFlags ", VMT_FIELD_map_vm_flags, m);
	x = figure(ui, c, y + 1, x, "   THPeligible ", VMT_FIELD_map_thp_eligible, m);
	figure(ui, c, y + 1, x, "   ProtectionKey ", VMT_FIELD_map_protection_key, m);
	if (VMT_HAS(map, vm_flags, m))
		draw_flags(c, y + 2, m);
	else if (smaps->reason[0])
		vmt_draw_figure(c, y + 2, 1, VMT_STYLE_DIM, &vmt_figure_reason, NULL, 0,
				"smaps: %s", smaps->reason);
	draw_sum(ui, c, y + 3, m);
	vmt_vma_draw_faults(ui, c, y + 4, m);
	vmt_canvas_puts(c, y + 5, 1, VMT_STYLE_DIM,
			"Enter page map of this VMA   f faults   c its file in the cache   "
			"t group by file   + - length of the bars   o columns");
}
