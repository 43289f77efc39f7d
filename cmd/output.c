/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "cmd/commands.h"

/* Paths and words of the command line go into complaints: the whole of it is made safe for the
 * terminal, and stays one line. */
static void complain_to(const struct vmt_ctx *ctx, const char *fmt, va_list ap)
{
	bool named = ctx->cmd && !ctx->cmd->hidden;
	VMT_AUTO_FREE char *text = NULL;
	VMT_AUTO_BUF safe = { 0 };

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	vmt_fmt_safe(&safe, vmt_bytes_of(text ? text : "out of memory"),
		     strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
	fprintf(stderr, "vmtop: %s%s%s\n", named ? ctx->cmd->name : "", named ? ": " : "",
		safe.data ? safe.data : "out of memory");
}

void vmt_complain(const struct vmt_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_to(ctx, fmt, ap);
	va_end(ap);
}

int vmt_no_memory(const struct vmt_ctx *ctx)
{
	vmt_complain(ctx, "out of memory");
	return VMT_EXIT_FAILED;
}

void vmt_note(const struct vmt_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->quiet)
		return;
	va_start(ap, fmt);
	complain_to(ctx, fmt, ap);
	va_end(ap);
}

int vmt_usage_error(const struct vmt_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_to(ctx, fmt, ap);
	va_end(ap);
	return VMT_EXIT_USAGE;
}

int vmt_complain_err(const struct vmt_ctx *ctx, const struct vmt_err *err)
{
	if (err->path[0] && err->line)
		vmt_complain(ctx, "%s:%u: %s", err->path, err->line, err->text);
	else if (err->path[0])
		vmt_complain(ctx, "%s: %s", err->path, err->text);
	else
		vmt_complain(ctx, "%s", err->text);
	switch (err->code) {
	case -EACCES:
	case -EPERM:
		return VMT_EXIT_DENIED;
	case -ETIMEDOUT:
		return VMT_EXIT_TIMEOUT;
	case -EINVAL:
		return VMT_EXIT_USAGE;
	default:
		return VMT_EXIT_FAILED;
	}
}

static const char filter_help[] =
	"Rows are shown of which the expression is true.\n"
	"\n"
	"  rss > 100M && comm ~ ^post      ! ( swap = 0 || user = root )\n"
	"\n"
	"A test is FIELD OPERATOR VALUE; a field alone asks that it is known and neither 0\n"
	"nor empty. Tests are joined by && (binds more) and ||, turned by !, grouped by ( ).\n"
	"\n"
	"  fields    columns or keys, as '-o help' lists them; those of a dear source are read\n"
	"  numbers   = == != < <= > >=\n"
	"            sizes: K KiB M MiB G GiB T TiB (1024), KB MB GB TB (1000), p (pages)\n"
	"            times: seconds, or with ns us ms s m h; addresses: hexadecimal\n"
	"  text      = == !=, and ~ =~ !~ with a POSIX extended regular expression\n"
	"  values    end at a blank or one of ( ) & |, unless in ' or \"\n"
	"\n"
	"A test of an unknown value is neither true nor false, and neither is its contrary:\n"
	"a row of which only that can be said is not shown.\n";

bool vmt_column_help(struct vmt_ctx *ctx, const struct vmt_entity *entity, int *ret_exit)
{
	const char *value = vmt_ctx_value(ctx, "filter");
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	if (value && strcmp(value, "help") == 0) {
		vmt_buf_adds(&text, filter_help);
		*ret_exit = vmt_print_text(ctx, &text);
		return true;
	}
	value = vmt_ctx_value(ctx, "output");
	if (!value || strcmp(value, "help") != 0)
		return false;
	vmt_buf_addf(&text, "%-16s %-26s %-6s %-13s %-6s %s\n", "COLUMN", "KEY", "UNIT", "SOURCE",
		     "COST", "MEANING");
	for (i = 0; i < entity->n_fields; i++) {
		const struct vmt_field *f = &entity->fields[i];
		enum vmt_source_id cheaper;
		char key[64], source[32];

		snprintf(key, sizeof(key), "%s%s%s", f->group ? f->group : "", f->group ? "." : "",
			 f->name);
		snprintf(source, sizeof(source), "%s%s%s", vmt_source_name(f->source),
			 vmt_field_cheaper(f, &cheaper) ? "," : "",
			 vmt_field_cheaper(f, &cheaper) ? vmt_source_name(cheaper) : "");
		vmt_buf_addf(&text, "%-16s %-26s %-6s %-13s %-6s %s\n", f->title, key,
			     vmt_unit_name(f->unit), source,
			     vmt_source_cost_name(vmt_source_cost(f->source)), f->help);
	}
	*ret_exit = vmt_print_text(ctx, &text);
	return true;
}

static int choose_columns(struct vmt_ctx *ctx, struct vmt_columns *columns, struct vmt_sort *sort,
			  const struct vmt_entity *entity)
{
	const char *list = vmt_ctx_value(ctx, "output"), *order = vmt_ctx_value(ctx, "sort");
	struct vmt_err err = { 0 };
	int r = 0;

	if (vmt_ctx_given(ctx, "output-all"))
		r = vmt_columns_all(columns, entity);
	if (r == 0 && list)
		r = vmt_columns_parse(columns, entity, list, &err);
	if (r == 0 && order)
		r = vmt_sort_parse(sort, entity, order, &err);
	if (r < 0)
		return err.code ? vmt_complain_err(ctx, &err) : VMT_EXIT_FAILED;
	return 0;
}

int vmt_ctx_filter(struct vmt_ctx *ctx, const struct vmt_entity *entity)
{
	const char *text = vmt_ctx_value(ctx, "filter");
	struct vmt_err err = { 0 };

	if (!text || (ctx->filter && ctx->filter_entity == entity))
		return 0;
	vmt_filter_free(VMT_STEAL(ctx->filter));
	ctx->filter_entity = entity;
	if (vmt_filter_parse(&ctx->filter, entity, text, &err) == 0)
		return 0;
	vmt_complain_err(ctx, &err);
	return err.code == -ENOMEM ? VMT_EXIT_FAILED : VMT_EXIT_USAGE;
}

/* Takes away the rows of which the filter is not true. */
static void apply_filter(struct vmt_ctx *ctx, struct vmt_section *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++)
		if (vmt_filter_test(ctx->filter, s->rows[i], s->page_size) == VMT_TRUE)
			s->rows[n++] = s->rows[i];
	s->n = n;
	s->total = n;
}

int vmt_section_options(struct vmt_ctx *ctx, struct vmt_section *section)
{
	const char *top = vmt_ctx_value(ctx, "top");
	uint64_t n = 0;
	int r = choose_columns(ctx, &section->columns, &section->sort, section->def->entity);

	if (r)
		return r;
	section->chosen = vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all");
	if (top)
		vmt_parse_u64(top, &n);
	r = vmt_ctx_filter(ctx, section->def->entity);
	if (r)
		return r;
	if (ctx->filter)
		apply_filter(ctx, section);
	if (vmt_section_arrange(section, n) < 0) {
		vmt_complain(ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	return 0;
}

int vmt_wanted_columns(struct vmt_ctx *ctx, const struct vmt_entity *entity,
		       struct vmt_columns *ret)
{
	struct vmt_sort sort = { 0 };
	int r;

	if (vmt_columns_default(ret, entity) < 0)
		return vmt_no_memory(ctx);
	r = choose_columns(ctx, ret, &sort, entity);
	if (r == 0 && vmt_columns_add_sort(ret, &sort) < 0)
		r = vmt_no_memory(ctx);
	if (r == 0)
		r = vmt_ctx_filter(ctx, entity);
	if (r == 0 && ctx->filter && vmt_columns_add_filter(ret, ctx->filter) < 0)
		r = vmt_no_memory(ctx);
	return r;
}

int vmt_wanted_sources(struct vmt_ctx *ctx, const struct vmt_entity *entity, uint64_t *ret)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	struct vmt_want want = { 0 };
	uint64_t cheap;
	int r = vmt_wanted_columns(ctx, entity, &columns);

	if (r)
		return r;
	vmt_columns_want(&columns, &want);
	*ret |= vmt_want_sources(&want, &cheap);
	/* The one choice that there is. */
	if (cheap & VMT_SOURCE_BIT(PAGEMAP))
		*ret |= VMT_COLLECT_CHEAP;
	return 0;
}

/* The file of -w: written beside the name, synced, renamed. */
struct aside {
	int dir;
	int fd;
	char name[NAME_MAX + 1]; /* of the temporary file */
	const char *last; /* last part of the wanted name */
};

static int aside_open(struct aside *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	VMT_AUTO_FREE char *dir = NULL;
	struct stat st;
	unsigned i;

	a->last = slash ? slash + 1 : path;
	if (!*a->last || strlen(a->last) > NAME_MAX - 12)
		return -EINVAL;
	dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!dir)
		return -ENOMEM;
	a->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir < 0)
		return -errno;
	/* A rename would put a plain file in the place of a device, a pipe or a link. */
	if (fstatat(a->dir, a->last, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return -EEXIST;
	for (i = 0; i < 100; i++) {
		snprintf(a->name, sizeof(a->name), ".%s.%u.%02u", a->last,
			 (unsigned)getpid() % 100000, i);
		a->fd = openat(a->dir, a->name,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (a->fd >= 0 || errno != EEXIST)
			break;
	}
	return a->fd < 0 ? -errno : 0;
}

/* mode is what the file gets; 0 for its owner alone, as it was made. */
static int aside_finish(struct aside *a, mode_t mode, int error)
{
	if (a->fd >= 0) {
		if (!error && mode && fchmod(a->fd, mode) < 0)
			error = -errno;
		if (!error && fsync(a->fd) < 0)
			error = -errno;
		if (close(a->fd) < 0 && !error)
			error = -errno;
		if (!error && renameat(a->dir, a->name, a->dir, a->last) < 0)
			error = -errno;
		if (error)
			unlinkat(a->dir, a->name, 0);
	}
	if (a->dir >= 0)
		close(a->dir);
	return error;
}

static int write_failed(struct vmt_ctx *ctx, const char *path, int error)
{
	/* Whoever closed the pipe knows that it did. */
	if (error == -EPIPE && !path)
		return 128 + 13;
	if (error == -ETIMEDOUT && ctx->ended_by) {
		vmt_complain(ctx, "standard output: not all is written, nobody reads it");
		return 128 + ctx->ended_by;
	}
	if (path && error == -EEXIST)
		vmt_complain(ctx, "%s: not a regular file; use '>' for it", path);
	else
		vmt_complain(ctx, "%s: %s", path ? path : "standard output", strerror(-error));
	return VMT_EXIT_FAILED;
}

/* Opens where output goes, lets fill write it and finishes: to path with that mode, or to fd where
 * it is NULL. A result of fill above 0 is the exit code; where it wrote nothing, no file is made.
 */
static int output_to(struct vmt_ctx *ctx, const char *path, mode_t mode, int fd,
		     int (*fill)(struct vmt_sink *sink, void *arg), void *arg)
{
	VMT_CLEANUP(vmt_sink_done)
	struct vmt_sink sink = { .fd = fd, .patience_ms = vmt_ctx_patience(ctx) };
	struct aside aside = { .dir = -1, .fd = -1 };
	int r = 0, code = 0;
	bool nothing;

	if (path) {
		r = aside_open(&aside, path);
		sink.fd = aside.fd;
	}
	if (r == 0)
		r = fill(&sink, arg);
	/* A result above 0 is an exit code; what was printed stays printed. */
	if (r > 0) {
		code = r;
		r = 0;
	}
	if (r == 0)
		r = vmt_sink_flush(&sink, 0);
	nothing = r == 0 && code && !sink.used;
	if (path)
		r = aside_finish(&aside, mode, nothing ? -ECANCELED : r);
	if (nothing)
		return code;
	return r < 0 ? write_failed(ctx, path, r) : code;
}

/* The same for where -w says, or fd. */
static int output(struct vmt_ctx *ctx, int fd, int (*fill)(struct vmt_sink *sink, void *arg),
		  void *arg)
{
	const char *path = vmt_ctx_value(ctx, "write");

	if (path && strcmp(path, "-") == 0)
		return output_to(ctx, NULL, 0, STDOUT_FILENO, fill, arg);
	return output_to(ctx, path, 0, fd, fill, arg);
}

static int fill_text(struct vmt_sink *sink, void *arg)
{
	const struct vmt_buf *text = arg;

	if (vmt_buf_error(text) < 0)
		return vmt_buf_error(text);
	vmt_buf_add(&sink->buf, text->data, text->len);
	return 0;
}

int vmt_print_text(struct vmt_ctx *ctx, const struct vmt_buf *text)
{
	struct vmt_buf copy = *text;

	return output(ctx, STDOUT_FILENO, fill_text, &copy);
}

int vmt_write_text(struct vmt_ctx *ctx, const char *path, unsigned mode, const struct vmt_buf *text)
{
	struct vmt_buf copy = *text;

	return output_to(ctx, path, mode, -1, fill_text, &copy);
}

struct doc_job {
	struct vmt_ctx *ctx;
	struct vmt_doc *doc;
};

static int fill_doc(struct vmt_sink *sink, void *arg)
{
	struct doc_job *job = arg;

	return job->ctx->format->emit(sink, job->doc, &job->ctx->out);
}

int vmt_print_stream(struct vmt_ctx *ctx, int (*fill)(struct vmt_sink *sink, void *arg), void *arg)
{
	return output(ctx, STDOUT_FILENO, fill, arg);
}

int vmt_print_doc(struct vmt_ctx *ctx, struct vmt_doc *doc)
{
	struct doc_job job = { ctx, doc };
	int r = output(ctx, ctx->cmd->to_stderr ? STDERR_FILENO : STDOUT_FILENO, fill_doc, &job);

	return r ? r : vmt_doc_verdict(ctx, doc);
}

int vmt_doc_verdict(struct vmt_ctx *ctx, const struct vmt_doc *doc)
{
	/* What was ready in time was printed; that it is not all is the exit code's to say. */
	if (ctx->deadline_ns && vmt_now_ns(CLOCK_MONOTONIC) >= ctx->deadline_ns) {
		vmt_note(ctx, "the time of --timeout is over");
		return VMT_EXIT_TIMEOUT;
	}
	if (vmt_ctx_given(ctx, "fail-empty") && doc->n && doc->sections[0].total == 0)
		return VMT_EXIT_NOTHING;
	if (vmt_ctx_given(ctx, "strict") &&
	    (ctx->partial || doc->model->sample->n_issues || doc->model->sample->issues_dropped))
		return VMT_EXIT_PARTIAL;
	return VMT_EXIT_OK;
}

int vmt_parse_pids(struct vmt_ctx *ctx, const char *list, uint64_t **ret, size_t *ret_n)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_BUF word = { 0 };
	size_t n = 0, cap = 0;

	while (*list) {
		size_t len = strcspn(list, ", ");

		vmt_buf_clear(&word);
		vmt_buf_add(&word, list, len);
		list += len + (list[len] ? 1 : 0);
		if (vmt_grow(&pids, &cap, n + 1, sizeof(*pids)) < 0 || vmt_buf_error(&word) < 0) {
			vmt_complain(ctx, "out of memory");
			return VMT_EXIT_FAILED;
		}
		if (vmt_parse_pid(word.data, &pids[n]) < 0) {
			VMT_AUTO_BUF safe = { 0 };

			vmt_fmt_safe(&safe, (struct vmt_bytes){ word.data, word.len }, true);
			return vmt_usage_error(ctx, "'%.40s' is no process id",
					       safe.data ? safe.data : "");
		}
		n++;
	}
	/* An empty list would be every process, which is not what an unset variable means. */
	if (n == 0)
		return vmt_usage_error(ctx, "no process id given");
	*ret = VMT_STEAL(pids);
	*ret_n = n;
	return 0;
}
