/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-plan.h"

#include "base/parse.h"
#include "cmd/whole-file.h"
#include "vmtop-config.h"

#ifdef VMT_HAVE_INIH
#include <ini.h>

/* Nobody writes a longer one by hand. */
#define BYTES_MAX    65536
#define SECTIONS_MAX 256

struct file {
	struct vmt_check_plan *plan;
	size_t first; /* item of this file */
	const char *path;
	struct vmt_bytes rest;
	unsigned line; /* that is being read */
	unsigned began; /* line of the section */
	struct vmt_err *err; /* the first thing that is wrong */
	int code;
};

static int wrong(struct file *f, unsigned line, int code, const char *text)
{
	if (f->code == 0)
		f->code = vmt_err_set(f->err, code, f->path, line, "%s", text);
	return f->code;
}

/* The section that ends here has all that it needs. */
static void end_section(struct file *f)
{
	struct vmt_err err = { 0 };
	struct vmt_check_item *item;

	if (f->code || f->plan->n == f->first)
		return;
	item = &f->plan->items[f->plan->n - 1];
	if (item->want.measure == VMT_MEASURE_COUNT &&
	    vmt_check_item_set(item, "metric", item->name, &err) < 0) {
		VMT_AUTO_BUF text = { 0 };

		vmt_buf_addf(&text, "[%.60s] has no metric, and is no name of one", item->name);
		wrong(f, f->began, -EINVAL, text.data ? text.data : "no metric");
		return;
	}
	if (vmt_check_item_complete(item, &err) < 0)
		wrong(f, f->began, -EINVAL, err.text);
}

static void begin_section(struct file *f, struct vmt_bytes name)
{
	size_t i;

	end_section(f);
	f->began = f->line;
	while (name.len && vmt_is_blank(name.ptr[name.len - 1]))
		name.len--;
	vmt_take_blanks(&name);
	if (!name.len) {
		wrong(f, f->line, -EINVAL, "a section without a name");
		return;
	}
	if (f->plan->n - f->first == SECTIONS_MAX) {
		wrong(f, f->line, -EINVAL, "too many sections");
		return;
	}
	for (i = f->first; i < f->plan->n; i++)
		if (vmt_bytes_is(name, f->plan->items[i].name)) {
			wrong(f, f->line, -EINVAL, "a section of that name is there before");
			return;
		}
	if (!vmt_check_plan_add(f->plan, name))
		wrong(f, f->line, -ENOMEM, "out of memory");
}

/* As fgets(), for inih: the next line. What follows on something wrong is empty. */
static char *next_line(char *to, int size, void *arg)
{
	struct file *f = arg;
	struct vmt_bytes line;
	const char *close;
	size_t i;

	if (f->code || !vmt_take_line(&f->rest, &line))
		return NULL;
	f->line++;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	for (i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			wrong(f, f->line, -EINVAL, "not text");
	}
	if (line.len + 2 > (size_t)size)
		wrong(f, f->line, -EINVAL, "the line is too long");
	/* To inih it would be more of the value before. */
	vmt_take_blanks(&line);
	close = line.len ? memchr(line.ptr, ']', line.len) : NULL;
	if (line.len && line.ptr[0] == '[' && close && !f->code)
		begin_section(f,
			      (struct vmt_bytes){ line.ptr + 1, (size_t)(close - line.ptr) - 1 });
	if (f->code)
		line.len = 0;
	if (line.len)
		memcpy(to, line.ptr, line.len);
	to[line.len] = '\n';
	to[line.len + 1] = 0;
	return to;
}

static int take_setting(void *arg, const char *section, const char *name, const char *value)
{
	struct file *f = arg;
	struct vmt_check_item *item;
	struct vmt_err err = { 0 };
	bool range = strcmp(name, "warning") == 0 || strcmp(name, "critical") == 0;

	if (f->code)
		return 1;
	if (f->plan->n == f->first) {
		wrong(f, f->line, -EINVAL, "a setting before the first [section]");
		return 1;
	}
	item = &f->plan->items[f->plan->n - 1];
	/* Ranges go by the unit of the metric; a section may be called like it. */
	if (range && item->want.measure == VMT_MEASURE_COUNT &&
	    vmt_check_item_set(item, "metric", item->name, &err) < 0) {
		wrong(f, f->line, -EINVAL, "metric has to stand before warning and critical");
		return 1;
	}
	if (strcmp(name, "metric") == 0 && item->want.measure != VMT_MEASURE_COUNT)
		wrong(f, f->line, -EINVAL, "metric is set a second time, or too late");
	else if (vmt_check_item_set(item, name, value, &err) < 0)
		wrong(f, f->line, err.code == -ERANGE ? -EINVAL : err.code, err.text);
	return 1;
}

int vmt_check_config_parse(struct vmt_check_plan *plan, const char *path, struct vmt_bytes text,
			   struct vmt_err *err)
{
	struct file f = { .plan = plan, .first = plan->n, .path = path, .rest = text, .err = err };
	int r = ini_parse_stream(next_line, &f, take_setting, &f);

	if (r > 0)
		wrong(&f, (unsigned)r, -EINVAL, "neither [section] nor name = value");
	if (r < 0)
		wrong(&f, 0, -ENOMEM, "out of memory");
	end_section(&f);
	if (f.code == 0 && plan->n == f.first)
		wrong(&f, 0, -EINVAL, "there is no [section] in it");
	return f.code;
}

int vmt_check_config_read(struct vmt_check_plan *plan, const char *path, struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };
	int r = vmt_whole_file(path, 0, BYTES_MAX, &text, NULL, err);

	return r < 0 ? r
		     : vmt_check_config_parse(plan, path, (struct vmt_bytes){ text.data, text.len },
					      err);
}

#else

int vmt_check_config_parse(struct vmt_check_plan *plan, const char *path, struct vmt_bytes text,
			   struct vmt_err *err)
{
	return vmt_err_set(err, -EOPNOTSUPP, NULL, 0, "built without inih: no --config");
}

int vmt_check_config_read(struct vmt_check_plan *plan, const char *path, struct vmt_err *err)
{
	return vmt_check_config_parse(plan, path, (struct vmt_bytes){ 0 }, err);
}

#endif
