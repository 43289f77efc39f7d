/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/row-filter.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>

#include "base/parse.h"

enum kind {
	TERM_TEXT,
	TERM_WORD,
	TERM_REGEX,
	TERM_EXPRESSION,
};

struct term {
	enum kind kind;
	char *text; /* heap */
	const struct vmt_field *field; /* of WORD */
	regex_t regex;
	bool has_regex;
	struct vmt_filter *expression;
};

struct vmt_row_filter {
	const struct vmt_table_def *def;
	struct term *terms; /* heap */
	size_t n, cap;
};

static void term_done(struct term *t)
{
	free(t->text);
	if (t->has_regex)
		regfree(&t->regex);
	vmt_filter_free(t->expression);
}

void vmt_row_filter_free(struct vmt_row_filter *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++)
		term_done(&f->terms[i]);
	free(f->terms);
	free(f);
}

bool vmt_bytes_contains(struct vmt_bytes text, struct vmt_bytes part)
{
	size_t i;

	for (i = 0; i + part.len <= text.len; i++)
		if (vmt_same_text(text.ptr + i, part.ptr, part.len))
			return true;
	return false;
}

/* The text of a row, where it is one of a text that is known. */
static bool text_of(const struct vmt_field *f, const void *row, struct vmt_bytes *ret)
{
	if (!f || !vmt_field_is_text(f) || !vmt_row_has(row, f->index))
		return false;
	*ret = *(const struct vmt_bytes *)vmt_field_at(f, row);
	return true;
}

bool vmt_row_found(const struct vmt_table_def *def, const void *row, struct vmt_bytes text)
{
	char number[32];
	size_t i;

	for (i = 0; i < def->n_columns; i++) {
		const struct vmt_field *f = vmt_table_field(def, i);
		struct vmt_bytes have;

		if (text_of(f, row, &have)) {
			if (vmt_bytes_contains(have, text))
				return true;
			continue;
		}
		if (!f || f->kind != VMT_KIND_LABEL || f->unit != VMT_UNIT_NONE ||
		    !vmt_row_has(row, f->index) ||
		    (f->type != VMT_TYPE_U64 && f->type != VMT_TYPE_HEX))
			continue;
		snprintf(number, sizeof(number),
			 f->type == VMT_TYPE_HEX ? "%012" PRIx64 : "%" PRIu64,
			 vmt_field_number(f, row));
		if (text.len <= strlen(number) && vmt_same_text(number, text.ptr, text.len))
			return true;
	}
	return false;
}

static int add(struct vmt_row_filter *f, const struct term *t)
{
	if (vmt_grow(&f->terms, &f->cap, f->n + 1, sizeof(*f->terms)) < 0)
		return -ENOMEM;
	f->terms[f->n++] = *t;
	return 0;
}

static int set_regex(struct term *t, const char *text, struct vmt_err *err)
{
	char why[100];
	int r;

	t->kind = TERM_REGEX;
	r = regcomp(&t->regex, text, REG_EXTENDED | REG_NOSUB | REG_ICASE);
	if (r == REG_ESPACE)
		return -ENOMEM;
	if (r) {
		regerror(r, &t->regex, why, sizeof(why));
		return vmt_err_set(err, -EINVAL, NULL, 0, "%s", why);
	}
	t->has_regex = true;
	return 0;
}

/* Whether the number of a field is in a list with commas; *ret_bad, where that is no such list. */
static bool listed(const struct vmt_field *f, const char *list, uint64_t have, bool *ret_bad)
{
	struct vmt_bytes cur = vmt_bytes_of(list);
	bool found = false;
	uint64_t v;

	*ret_bad = false;
	do {
		int r = f->type == VMT_TYPE_HEX ? vmt_take_hex(&cur, &v) : vmt_take_u64(&cur, &v);

		if (r < 0) {
			*ret_bad = true;
			return false;
		}
		found |= v == have;
	} while (vmt_take_char(&cur, ',') == 0);
	*ret_bad = cur.len != 0;
	return found;
}

/* "word:" at the front of text, of a word that def knows; behind it, or NULL. */
static const char *take_word(const struct vmt_table_def *def, struct vmt_bytes text,
			     const struct vmt_field **ret)
{
	size_t i;

	for (i = 0; i < def->n_words; i++) {
		size_t n = strlen(def->words[i].word);

		if (text.len > n && text.ptr[n] == ':' &&
		    vmt_same_text(text.ptr, def->words[i].word, n)) {
			*ret = &def->entity->fields[def->words[i].field];
			return text.ptr + n + 1;
		}
	}
	return NULL;
}

/* A term of len bytes at text; quoted: nothing in it has a meaning. */
static int add_term(struct vmt_row_filter *f, struct vmt_bytes text, bool quoted,
		    struct vmt_err *err)
{
	struct term t = { .kind = TERM_TEXT };
	const char *value = quoted ? NULL : take_word(f->def, text, &t.field);
	bool bad = false;
	int r;

	if (value) {
		t.kind = TERM_WORD;
		text.len -= (size_t)(value - text.ptr);
		text.ptr = value;
	}
	t.text = strndup(text.ptr, text.len);
	if (!t.text)
		return -ENOMEM;
	if (value && !vmt_field_is_text(t.field))
		listed(t.field, t.text, 0, &bad);
	r = bad ? vmt_err_set(err, -EINVAL, NULL, 0, "no number: as 42, or 1,42 for a list")
		: add(f, &t);
	if (r < 0)
		term_done(&t);
	return r;
}

/* The rest of the line as one term. */
static int add_rest(struct vmt_row_filter *f, const char *text, bool expression,
		    struct vmt_err *err)
{
	struct term t = { .kind = TERM_EXPRESSION };
	int r;

	r = expression ? vmt_filter_parse(&t.expression, f->def->entity, text, err)
		       : set_regex(&t, text, err);
	if (r == 0)
		r = add(f, &t);
	if (r < 0)
		term_done(&t);
	return r;
}

static int add_terms(struct vmt_row_filter *f, const char *text, struct vmt_err *err)
{
	int r = 0;

	if (text[0] == '=')
		return add_rest(f, text + 1, true, err);
	while (r == 0) {
		const char *end;
		bool quoted;

		while (vmt_is_blank(*text))
			text++;
		if (!*text)
			break;
		if (*text == '~')
			return add_rest(f, text + 1, false, err);
		quoted = *text == '"';
		text += quoted;
		/* While one types, the second quote is still to come. */
		end = strchrnul(text, quoted ? '"' : ' ');
		if (end != text)
			r = add_term(f, (struct vmt_bytes){ text, (size_t)(end - text) }, quoted,
				     err);
		text = *end ? end + 1 : end;
	}
	return r;
}

int vmt_row_filter_parse(struct vmt_row_filter **ret, const struct vmt_table_def *def,
			 const char *text, struct vmt_err *err)
{
	VMT_AUTO_ROW_FILTER f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	if (strlen(text) > VMT_FILTER_MAX)
		return vmt_err_set(err, -E2BIG, NULL, 0, "a filter of more than %d characters",
				   VMT_FILTER_MAX);
	f->def = def;
	r = add_terms(f, text, err);
	if (r < 0)
		return r;
	*ret = VMT_STEAL(f);
	return 0;
}

static bool matches(const struct term *t, struct vmt_bytes text)
{
	/* glibc: the text has a length, not an end, and may hold any byte. */
	regmatch_t span = { .rm_so = 0, .rm_eo = (regoff_t)text.len };

	return text.len <= INT32_MAX &&
	       regexec(&t->regex, text.ptr ? text.ptr : "", 1, &span, REG_STARTEND) == 0;
}

static bool any_text(const struct vmt_row_filter *f, const struct term *t, const void *row)
{
	struct vmt_bytes part = vmt_bytes_of(t->text), text;
	size_t i;

	for (i = 0; i < f->def->n_columns; i++)
		if (text_of(vmt_table_field(f->def, i), row, &text) &&
		    (t->kind == TERM_REGEX ? matches(t, text) : vmt_bytes_contains(text, part)))
			return true;
	return false;
}

static bool word_holds(const struct term *t, const void *row)
{
	struct vmt_bytes text;
	bool bad;

	if (vmt_field_is_text(t->field))
		return text_of(t->field, row, &text) &&
		       vmt_bytes_contains(text, vmt_bytes_of(t->text));
	return vmt_row_has(row, t->field->index) &&
	       listed(t->field, t->text, vmt_field_number(t->field, row), &bad);
}

static bool holds(const struct vmt_row_filter *f, const struct term *t, const void *row,
		  uint64_t page_size)
{
	switch (t->kind) {
	case TERM_TEXT:
	case TERM_REGEX:
		return any_text(f, t, row);
	case TERM_WORD:
		return word_holds(t, row);
	case TERM_EXPRESSION:
		break;
	}
	return vmt_filter_test(t->expression, row, page_size) == VMT_TRUE;
}

bool vmt_row_filter_test(const struct vmt_row_filter *f, const void *row, uint64_t page_size)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (!holds(f, &f->terms[i], row, page_size))
			return false;
	return true;
}

void vmt_row_filter_want(const struct vmt_row_filter *f, struct vmt_want *w)
{
	size_t i, k;

	for (i = 0; i < f->n; i++) {
		const struct term *t = &f->terms[i];

		if (t->kind == TERM_WORD)
			vmt_want_field(w, t->field);
		for (k = 0; t->kind == TERM_EXPRESSION && k < vmt_filter_fields(t->expression); k++)
			vmt_want_field(w, vmt_filter_field(t->expression, k));
	}
}
