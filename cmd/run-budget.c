/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-budget.h"

#include <stdlib.h>
#include <unistd.h>

void vmt_budgets_done(struct vmt_budgets *b)
{
	free(b->rows);
	free(b->fields);
	*b = (struct vmt_budgets){ 0 };
}

/* A field of the command by key or title; a shell's user writes _ where titles have -. */
static const struct vmt_field *find(const char *name, size_t len)
{
	char word[64];
	const struct vmt_field *f;
	size_t i;

	if (len == 0 || len >= sizeof(word))
		return NULL;
	f = vmt_field_find(&vmt_entity_command, (struct vmt_bytes){ name, len });
	for (i = 0; i < len; i++)
		word[i] = (char)(name[i] == '_' ? '-' : name[i]);
	if (!f)
		f = vmt_field_find(&vmt_entity_command, (struct vmt_bytes){ word, len });
	/* What only names the command has no limit. */
	return f && f->type == VMT_TYPE_U64 && f->kind != VMT_KIND_LABEL ? f : NULL;
}

static const char *form_of(const struct vmt_field *f)
{
	switch (f->unit) {
	case VMT_UNIT_BYTES:
		return "a size, as 512M";
	case VMT_UNIT_NS:
		return "a time, as 10ms";
	case VMT_UNIT_NONE:
	case VMT_UNIT_PAGES:
	case VMT_UNIT_COUNT:
	case VMT_UNIT_MILLI:
		break;
	}
	return "a whole number";
}

static int parse_one(struct vmt_ctx *ctx, const char *text, struct vmt_budget *row,
		     const struct vmt_field **ret)
{
	const char *sign = strchr(text, '=');
	const struct vmt_field *f = sign ? find(text, (size_t)(sign - text)) : NULL;
	uint64_t limit;
	int r;

	if (!sign)
		return vmt_usage_error(ctx, "--budget takes FIELD=N, as maj_flt=0, not '%.60s'",
				       text);
	if (!f)
		return vmt_usage_error(ctx, "--budget: no figure '%.*s' of a command",
				       (int)(sign - text < 60 ? sign - text : 60), text);
	r = vmt_field_value(f, sign + 1, (uint64_t)sysconf(_SC_PAGESIZE), &limit);
	if (r == -ERANGE)
		return vmt_usage_error(ctx, "--budget %s: this number is too large", f->name);
	if (r < 0)
		return vmt_usage_error(ctx, "--budget %s takes %s, not '%.60s'", f->name,
				       form_of(f), sign + 1);
	VMT_SET(budget, field, row, vmt_bytes_of(f->name));
	VMT_SET(budget, limit, row, limit);
	*ret = f;
	return 0;
}

int vmt_budgets_parse(struct vmt_ctx *ctx, struct vmt_budgets *b)
{
	size_t i;
	int r;

	b->rows = calloc(ctx->n_given + 1, sizeof(*b->rows));
	b->fields = calloc(ctx->n_given + 1, sizeof(*b->fields));
	if (!b->rows || !b->fields)
		return vmt_no_memory(ctx);
	for (i = 0; i < ctx->n_given; i++) {
		if (strcmp(ctx->given[i].opt->name, "budget") != 0)
			continue;
		r = parse_one(ctx, ctx->given[i].value, &b->rows[b->n], &b->fields[b->n]);
		if (r)
			return r;
		b->n++;
	}
	return 0;
}

static void add_figure(struct vmt_buf *out, const struct vmt_field *f, uint64_t v,
		       uint64_t page_size)
{
	if (f->unit == VMT_UNIT_BYTES)
		vmt_fmt_size(out, v, VMT_SIZE_HUMAN, page_size);
	else if (f->unit == VMT_UNIT_NS)
		vmt_fmt_duration(out, v);
	else
		vmt_buf_addu(out, v);
}

static void tell(struct vmt_ctx *ctx, const struct vmt_field *f, const struct vmt_budget *row,
		 uint64_t page_size)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addf(&text, "budget broken: %s is ", f->name);
	if (VMT_HAS(budget, value, row))
		add_figure(&text, f, row->value, page_size);
	else
		vmt_buf_adds(&text, "not known here");
	vmt_buf_adds(&text, ", may be ");
	add_figure(&text, f, row->limit, page_size);
	/* Two that look the same rounded are told apart. */
	if (VMT_HAS(budget, value, row) && (f->unit == VMT_UNIT_BYTES || f->unit == VMT_UNIT_NS))
		vmt_buf_addf(&text, " (%llu of %llu %s)", (unsigned long long)row->value,
			     (unsigned long long)row->limit,
			     f->unit == VMT_UNIT_NS ? "ns" : "bytes");
	vmt_complain(ctx, "%s", vmt_buf_error(&text) ? "budget broken" : text.data);
}

size_t vmt_budgets_judge(struct vmt_ctx *ctx, struct vmt_budgets *b, const struct vmt_command *c,
			 uint64_t page_size)
{
	size_t broken = 0, i;

	for (i = 0; i < b->n; i++) {
		const struct vmt_field *f = b->fields[i];
		struct vmt_budget *row = &b->rows[i];
		bool known = vmt_row_has(&c->row, f->index);

		if (known)
			VMT_SET(budget, value, row, vmt_field_number(f, c));
		if (known && row->value <= row->limit) {
			VMT_SET(budget, status, row, VMT_BYTES("kept"));
			continue;
		}
		VMT_SET(budget, status, row, known ? VMT_BYTES("broken") : VMT_BYTES("unknown"));
		tell(ctx, f, row, page_size);
		broken++;
	}
	return broken;
}
