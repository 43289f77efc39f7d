/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/popup-kinds.h"

/* Columns of a line of help. */
#define WIDTH 76

/* The keys of an action, "Up, k"; in buf. */
static const char *keys_of(const struct vmt_ui *ui, enum vmt_action action, char *buf, size_t size)
{
	const struct vmt_key_row *row;
	char name[16];
	size_t i, n = 0;

	buf[0] = 0;
	for (i = 0; ui->opts.replay && (row = vmt_replay_key_row(i))->key; i++)
		if (row->action == action && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "",
					      vmt_key_name(row->key, name, sizeof(name)));
	for (i = 0; (row = vmt_key_row(i))->key; i++)
		if (row->action == action && n < size &&
		    !(ui->opts.replay && vmt_replay_key_action(row->key)))
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "",
					      vmt_key_name(row->key, name, sizeof(name)));
	return buf;
}

static void add_help(const struct vmt_ui *ui, struct vmt_sheet *sheet)
{
	static const char *const filter[] = {
		"text         a text of the row contains it; \"two words\" in quotes",
		"word:text    pid:1,42 user:root: that field is it, or contains it",
		"~regex       a text of the row matches the rest of the line",
		"=expression  as of option -F: =rss>100M && comm~^post",
	};
	const struct vmt_screen *s = vmt_screens[vmt_ui_view(ui)->screen];
	char keys[64];
	size_t i;

	vmt_sheet_addf(sheet, VMT_STYLE_STRONG, 0, "%s: %s", s->title, s->help);
	for (i = 0; s->keys && s->keys[i]; i++)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 18, "  %s", s->keys[i]);
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 0, VMT_BYTES(""));
	vmt_sheet_addf(sheet, VMT_STYLE_STRONG, 0, "Everywhere");
	for (i = 1; i < VMT_ACTION_COUNT; i++)
		if (vmt_actions[i].name && *keys_of(ui, (enum vmt_action)i, keys, sizeof(keys)))
			vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 18, "  %-15s %s", keys,
				       vmt_actions[i].help);
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 0, VMT_BYTES(""));
	vmt_sheet_addf(sheet, VMT_STYLE_STRONG, 0,
		       "Filters: words with blanks between, all are met");
	for (i = 0; i < VMT_ARRAY_LEN(filter); i++)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 15, "  %s", filter[i]);
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 0, VMT_BYTES(""));
	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 0,
		       "A value that is not known is -, never 0. The key ? explains every number: "
		       "where it comes from, what it means, and why it is not known.");
}

static struct vmt_bytes text_of(const struct vmt_row *known, unsigned index,
				const struct vmt_bytes *text)
{
	return vmt_row_has(known, index) ? *text : (struct vmt_bytes){ "", 0 };
}

/* What was read of it is missing, or not all of it is there. */
static bool is_missing(const struct vmt_source_row *r)
{
	return VMT_HAS(source, status, r) && !vmt_bytes_is(r->status, "ok") &&
	       !vmt_bytes_is(r->status, "unused");
}

static void add_source(const struct vmt_source_row *r, struct vmt_sheet *sheet)
{
	struct vmt_bytes reason = text_of(&r->row, VMT_FIELD_source_reason, &r->reason);
	struct vmt_bytes what = text_of(&r->row, VMT_FIELD_source_what, &r->what);
	struct vmt_bytes fix = text_of(&r->row, VMT_FIELD_source_fix, &r->fix);

	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 4, "  %.*s (%.*s): %.*s%s%.*s", (int)r->name.len,
		       r->name.ptr, (int)what.len, what.ptr, (int)r->status.len, r->status.ptr,
		       reason.len ? ": " : "", (int)reason.len, reason.ptr);
	if (fix.len)
		vmt_sheet_addf(sheet, VMT_STYLE_LABEL, 9, "    fix: %.*s", (int)fix.len, fix.ptr);
}

static void add_warnings(const struct vmt_ui *ui, struct vmt_sheet *sheet)
{
	const struct vmt_model *m = ui->model;
	size_t i, missing = 0;

	if (!m) {
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 0, "Nothing was read yet.");
		return;
	}
	vmt_sheet_addf(sheet, VMT_STYLE_STRONG, 0, "What was noticed");
	for (i = 0; i < m->n_findings; i++) {
		const struct vmt_finding *f = &m->findings[i];

		vmt_sheet_addf(sheet,
			       vmt_bytes_is(f->severity, "warning") ? VMT_STYLE_WARNING
								    : VMT_STYLE_NORMAL,
			       4, "  %.*s: %.*s", (int)f->severity.len, f->severity.ptr,
			       (int)f->text.len, f->text.ptr);
	}
	if (!m->n_findings)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 0, "  nothing");
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 0, VMT_BYTES(""));
	vmt_sheet_addf(sheet, VMT_STYLE_STRONG, 0, "What is missing");
	for (i = 0; i < m->n_sources; i++)
		if (is_missing(&m->sources[i])) {
			add_source(&m->sources[i], sheet);
			missing++;
		}
	if (!missing)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 0,
			       "  nothing of what this screen asked for");
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 0, VMT_BYTES(""));
	vmt_sheet_addf(sheet, VMT_STYLE_DIM, 0, "vmtop doctor says what this machine can give.");
}

static enum vmt_ui_act event(struct vmt_ui *ui, struct vmt_popup *p, const struct vmt_ui_event *e)
{
	size_t n = p->n > p->in.height ? p->n - p->in.height + 1 : 1;

	if (vmt_popup_move(e->key, n, p->in.height, &p->first))
		return VMT_UI_DRAW;
	/* Pasted text is no command, not even one to close. */
	if (e->key == VMT_KEY_PASTE)
		return VMT_UI_NONE;
	switch (vmt_key_action(e->key)) {
	case VMT_ACTION_BACK:
	case VMT_ACTION_QUIT:
	case VMT_ACTION_OPEN:
	case VMT_ACTION_HELP:
	case VMT_ACTION_WARNINGS:
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	default:
		break;
	}
	if (e->key != VMT_KEY_CLICK)
		return VMT_UI_NONE;
	vmt_popup_close(ui);
	return VMT_UI_DRAW;
}

static void draw(struct vmt_ui *ui, struct vmt_popup *p, struct vmt_canvas *c)
{
	VMT_AUTO_SHEET sheet;
	const char *title = p->action == VMT_ACTION_HELP ? "Help" : "Warnings";

	vmt_sheet_init(&sheet,
		       c->width > WIDTH + 4 ? WIDTH
		       : c->width > 5	    ? c->width - 4
					    : 1,
		       c->ascii);
	if (p->action == VMT_ACTION_HELP)
		add_help(ui, &sheet);
	else
		add_warnings(ui, &sheet);
	if (sheet.error)
		c->error = sheet.error;
	p->n = sheet.n;
	p->in = vmt_popup_box(c, sheet.n, sheet.width, title);
	if (p->first + p->in.height > p->n)
		p->first = p->n > p->in.height ? p->n - p->in.height : 0;
	vmt_sheet_draw(&sheet, c, p->in, p->first);
	if (p->n > p->in.height && p->in.height)
		vmt_canvas_putf(c, p->in.y + p->in.height, p->in.x, VMT_STYLE_DIM,
				" %zu-%zu of %zu ", p->first + 1, p->first + p->in.height, p->n);
}

const struct vmt_popup_kind vmt_popup_text = { event, draw };
