/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

const struct vmt_picture *const vmt_pictures[VMT_PICTURES_ALL] = {
	[VMT_PICTURE_MEMORY] = &vmt_picture_memory,
	[VMT_PICTURE_PROCESSES] = &vmt_picture_processes,
	[VMT_PICTURE_MAPS] = &vmt_picture_maps,
	[VMT_PICTURE_FLAME] = &vmt_picture_flame,
	[VMT_PICTURE_HEAT] = &vmt_picture_heat,
	[VMT_PICTURE_GROWTH] = &vmt_picture_growth,
};

/* Digits that a column of a picture has room for. */
#define DIGITS_MOST 8

/* That of what is written to out, whose error it is where there is no memory to find out. */
static enum vmt_size_unit unit_of(struct vmt_buf *out, const struct vmt_picture_ask *ask)
{
	const struct vmt_model *m = ask->model;
	uint64_t largest = VMT_HAS(system, total_bytes, &m->system) ? m->system.total_bytes : 0;
	VMT_AUTO_BUF text = { 0 };

	largest = ask->largest > largest ? ask->largest : largest;
	if (ask->opts->unit == VMT_SIZE_HUMAN || !largest)
		return VMT_SIZE_HUMAN;
	vmt_fmt_size(&text, largest, ask->opts->unit, m->sample->host.page_size);
	if (vmt_buf_error(&text) < 0)
		out->error = vmt_buf_error(&text);
	return text.len <= DIGITS_MOST ? ask->opts->unit : VMT_SIZE_HUMAN;
}

void vmt_picture_size(struct vmt_buf *out, const struct vmt_picture_ask *ask, uint64_t bytes)
{
	enum vmt_size_unit unit = unit_of(out, ask);

	vmt_fmt_size(out, bytes, unit, ask->model->sample->host.page_size);
	if (unit == VMT_SIZE_HUMAN && bytes < 1000)
		vmt_buf_addc(out, 'B');
}

void vmt_picture_signed(struct vmt_buf *out, const struct vmt_picture_ask *ask, int64_t bytes)
{
	enum vmt_size_unit unit = unit_of(out, ask);

	vmt_fmt_size_signed(out, bytes, unit, ask->model->sample->host.page_size);
}

void vmt_picture_put_size(struct vmt_xml *x, const struct vmt_picture_ask *ask, const char *class,
			  int64_t left, int64_t y, bool known, uint64_t bytes)
{
	VMT_AUTO_BUF text = { 0 };

	if (known)
		vmt_picture_size(&text, ask, bytes);
	else
		vmt_buf_addc(&text, '-');
	vmt_svg_text(x, class, left, y, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

int64_t vmt_picture_title(struct vmt_xml *x, const struct vmt_picture_ask *ask,
			  struct vmt_bytes title)
{
	VMT_AUTO_BUF text = { 0 };

	if (!ask->alone)
		return 0;
	vmt_svg_fit(&text, title, 96, false);
	vmt_svg_text(x, "big", 0, 160, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
	return VMT_PICTURE_TITLE;
}
