/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "view/html.h"

/* The largest processes: what is resident of each by sort, and beside it what is in swap, all on
 * one scale. */

#define ROWS_MOST 25
#define ROW	  190

#define PID_RIGHT  620
#define NAME_LEFT  720
#define NAME_CHARS 16
#define RSS_RIGHT  2450
#define SWAP_RIGHT 3130
#define BAR_LEFT   3280
#define BAR_WIDTH  (VMT_SVG_WIDTH - BAR_LEFT)

/* The parts of RSS. */
static const struct {
	const char *name;
	const char *colour;
} parts[] = { { "anonymous", "orange" }, { "file", "sky" }, { "shared memory", "purple" } };

static uint64_t rss_of(const struct vmt_proc *p)
{
	return VMT_HAS(proc, rss_bytes, p) ? p->rss_bytes : 0;
}

static uint64_t swap_of(const struct vmt_proc *p)
{
	return VMT_HAS(proc, swap_bytes, p) ? p->swap_bytes : 0;
}

static int by_rss(const void *pa, const void *pb)
{
	const struct vmt_proc *a = *(const struct vmt_proc *const *)pa;
	const struct vmt_proc *b = *(const struct vmt_proc *const *)pb;
	uint64_t x = rss_of(a) + swap_of(a), y = rss_of(b) + swap_of(b);

	if (x != y)
		return x > y ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* Those of which something is known, the largest first; the array is the caller's. */
static const struct vmt_proc **sorted(const struct vmt_model *m, size_t *ret_n)
{
	const struct vmt_proc **rows = calloc(m->n_procs ? m->n_procs : 1, sizeof(*rows));
	size_t i, n = 0;

	for (i = 0; rows && i < m->n_procs; i++)
		if (rss_of(&m->procs[i]) + swap_of(&m->procs[i]))
			rows[n++] = &m->procs[i];
	if (rows && n)
		qsort(rows, n, sizeof(*rows), by_rss);
	*ret_n = n;
	return rows;
}

static bool has(const struct vmt_picture_ask *ask, struct vmt_buf *why)
{
	const struct vmt_model *m = ask->model;
	size_t i;

	for (i = 0; i < m->n_procs; i++)
		if (rss_of(&m->procs[i]) + swap_of(&m->procs[i]))
			return true;
	vmt_buf_adds(why, m->n_procs ? "of no process is it known what is resident"
				     : "there is no process to show");
	return false;
}

static void put_bar(struct vmt_xml *x, const struct vmt_proc *p, uint64_t most, int64_t top)
{
	const bool known = VMT_HAS(proc, anonymous_bytes, p) && VMT_HAS(proc, file_bytes, p) &&
			   VMT_HAS(proc, shmem_bytes, p);
	const uint64_t sizes[] = { p->anonymous_bytes, p->file_bytes, p->shmem_bytes };
	uint64_t sum = 0;
	int64_t left = 0, right;
	size_t i;

	for (i = 0; known && i < VMT_ARRAY_LEN(parts); i++) {
		sum += sizes[i];
		right = vmt_svg_part(sum < most ? sum : most, most, BAR_WIDTH);
		if (right > left)
			vmt_svg_rect(x, parts[i].colour, BAR_LEFT + left, top, right - left, 130,
				     (struct vmt_bytes){ 0 });
		left = right;
	}
	if (!known) {
		left = vmt_svg_part(rss_of(p), most, BAR_WIDTH);
		vmt_svg_rect(x, "edge", BAR_LEFT, top + 5, left, 120, (struct vmt_bytes){ 0 });
	}
	right = left + vmt_svg_part(swap_of(p), most, BAR_WIDTH);
	right = right < BAR_WIDTH ? right : BAR_WIDTH;
	if (right > left)
		vmt_svg_hatch(x, BAR_LEFT + left, top, right - left, 130);
}

static void put_row(struct vmt_xml *x, const struct vmt_picture_ask *ask, const struct vmt_proc *p,
		    uint64_t most, int64_t top)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addu(&text, p->pid);
	vmt_svg_text(x, "n r dim", PID_RIGHT, top + 110, (struct vmt_bytes){ text.data, text.len });
	vmt_buf_next(&text);
	vmt_svg_fit(&text, VMT_HAS(proc, comm, p) ? p->comm : VMT_BYTES("-"), NAME_CHARS, false);
	vmt_svg_text(x, "m", NAME_LEFT, top + 110, (struct vmt_bytes){ text.data, text.len });
	vmt_picture_put_size(x, ask, "n r", RSS_RIGHT, top + 110, VMT_HAS(proc, rss_bytes, p),
			     rss_of(p));
	if (swap_of(p) || !VMT_HAS(proc, swap_bytes, p))
		vmt_picture_put_size(x, ask, "n r", SWAP_RIGHT, top + 110,
				     VMT_HAS(proc, swap_bytes, p), swap_of(p));
	put_bar(x, p, most, top);
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_legend(struct vmt_xml *x, int64_t top)
{
	int64_t left = BAR_LEFT;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(parts); i++) {
		vmt_svg_rect(x, parts[i].colour, left, top, 160, 130, (struct vmt_bytes){ 0 });
		vmt_svg_texts(x, "dim", left + 230, top + 110, parts[i].name);
		left += i == 1 ? 750 : 1300;
	}
	vmt_svg_hatch(x, left, top, 160, 130);
	vmt_svg_texts(x, "dim", left + 230, top + 110, "in swap");
	vmt_svg_rect(x, "edge", left + 850, top + 5, 160, 120, (struct vmt_bytes){ 0 });
	vmt_svg_texts(x, "dim", left + 1080, top + 110, "resident, of sorts not known");
}

static int draw(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	struct vmt_svg_head head = { .id = "processes", .alone = ask->alone };
	int64_t top = ask->alone ? VMT_PICTURE_TITLE : 0;
	VMT_AUTO_FREE const struct vmt_proc **rows = NULL;
	VMT_AUTO_BUF desc = { 0 };
	uint64_t most = 1;
	size_t n, shown, i;

	rows = sorted(ask->model, &n);
	if (!rows)
		return -ENOMEM;
	shown = n < ROWS_MOST ? n : ROWS_MOST;
	for (i = 0; i < n; i++)
		most = rss_of(rows[i]) + swap_of(rows[i]) > most
			       ? rss_of(rows[i]) + swap_of(rows[i])
			       : most;
	vmt_buf_addf(&desc, "The %zu largest of %zu processes with memory", shown, n);
	for (i = 0; i < shown && i < 3; i++) {
		vmt_buf_adds(&desc, i ? ", " : ": ");
		vmt_fmt_safe(&desc, VMT_HAS(proc, comm, rows[i]) ? rows[i]->comm : VMT_BYTES("-"),
			     false);
		vmt_buf_addf(&desc, " (%" PRIu64 ") ", rows[i]->pid);
		vmt_picture_size(&desc, ask, rss_of(rows[i]));
	}
	head.title = VMT_BYTES("Largest processes");
	head.desc = (struct vmt_bytes){ desc.data, desc.len };
	head.height = top + 450 + (int64_t)shown * ROW + 60;
	vmt_svg_begin(x, &head);
	vmt_picture_title(x, ask, head.title);
	put_legend(x, top + 20);
	vmt_svg_texts(x, "dim r", PID_RIGHT, top + 330, "pid");
	vmt_svg_texts(x, "dim", NAME_LEFT, top + 330, "command");
	vmt_svg_texts(x, "dim r", RSS_RIGHT, top + 330, "resident");
	vmt_svg_texts(x, "dim r", SWAP_RIGHT, top + 330, "swapped");
	vmt_svg_line(x, "rule", 0, top + 390, VMT_SVG_WIDTH, top + 390);
	for (i = 0; i < shown; i++)
		put_row(x, ask, rows[i], most, top + 450 + (int64_t)i * ROW);
	vmt_svg_end(x);
	return vmt_buf_error(&desc);
}

static int tell(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	static const char columns[] = "pid,user,rss,pss,uss,anon,file,shmem,swap,maps,minflt,"
				      "majflt,comm";
	VMT_AUTO_FREE const struct vmt_proc **rows = NULL;
	VMT_AUTO_FREE struct vmt_proc *copies = NULL;
	VMT_AUTO_BUF text = { 0 };
	size_t n, shown, i;

	rows = sorted(ask->model, &n);
	shown = n < ROWS_MOST ? n : ROWS_MOST;
	copies = calloc(shown ? shown : 1, sizeof(*copies));
	if (!rows || !copies)
		return -ENOMEM;
	for (i = 0; i < shown; i++)
		copies[i] = *rows[i];
	vmt_buf_addf(&text,
		     "The %zu largest of %zu processes with memory; kernel threads have none. "
		     "Shared pages are resident in each process that maps them; PSS divides them.",
		     shown, n);
	vmt_html_says(x, (struct vmt_bytes){ text.data, text.len });
	return vmt_buf_error(&text)
		       ?: vmt_html_table(x, &vmt_entity_proc, copies, shown, columns, ask);
}

const struct vmt_picture vmt_picture_processes = {
	.name = "processes",
	.title = "Processes by resident memory",
	.has = has,
	.draw = draw,
	.tell = tell,
};
