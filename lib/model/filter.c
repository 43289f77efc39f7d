/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/filter.h"

#include <regex.h>

#include "base/fmt.h"
#include "base/parse.h"

enum kind {
	NODE_OR,
	NODE_AND,
	NODE_NOT,
	NODE_TEST,
};

enum op {
	OP_SET, /* a field alone */
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_MATCH,
	OP_NO_MATCH,
};

struct node {
	enum kind kind;
	size_t left, right; /* of OR and AND; left of NOT */
	/* Of a test: */
	const struct vmt_field *field;
	enum op op;
	uint64_t number;
	bool negative; /* the number is minus that */
	bool in_pages;
	char *text; /* heap */
	regex_t regex;
	bool has_regex;
};

struct vmt_filter {
	struct node *nodes;
	size_t n;
	size_t cap;
	size_t root;
};

struct parser {
	struct vmt_filter *f;
	const struct vmt_entity *entity;
	const char *begin;
	const char *at;
	unsigned depth;
	struct vmt_err *err;
};

void vmt_filter_free(struct vmt_filter *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++) {
		free(f->nodes[i].text);
		if (f->nodes[i].has_regex)
			regfree(&f->nodes[i].regex);
	}
	free(f->nodes);
	free(f);
}

static int wrong(struct parser *p, const char *at, const char *what)
{
	return vmt_err_set(p->err, -EINVAL, NULL, 0, "filter, character %zu: %s",
			   (size_t)(at - p->begin) + 1, what);
}

static int no_memory(struct parser *p)
{
	return vmt_err_set(p->err, -ENOMEM, NULL, 0, "out of memory");
}

static void skip_blanks(struct parser *p)
{
	while (vmt_is_blank(*p->at) || *p->at == '\n')
		p->at++;
}

static bool take(struct parser *p, const char *token)
{
	size_t n = strlen(token);

	skip_blanks(p);
	if (strncmp(p->at, token, n) != 0)
		return false;
	p->at += n;
	return true;
}

static int add(struct parser *p, const struct node *node, size_t *ret)
{
	struct vmt_filter *f = p->f;

	if (vmt_grow(&f->nodes, &f->cap, f->n + 1, sizeof(*f->nodes)) < 0)
		return no_memory(p);
	f->nodes[f->n] = *node;
	*ret = f->n++;
	return 0;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || vmt_is_digit(c) || c == '_' ||
	       c == '-' || c == '.' || c == '/';
}

static int take_field(struct parser *p, const struct vmt_field **ret)
{
	struct vmt_bytes name = { p->at, 0 };
	VMT_AUTO_BUF text = { 0 };

	while (is_name(p->at[name.len]))
		name.len++;
	if (name.len == 0)
		return wrong(p, p->at, *p->at ? "no name of a field" : "it ends too early");
	*ret = vmt_field_find(p->entity, name);
	if (!*ret) {
		vmt_buf_adds(&text, "no field '");
		vmt_fmt_safe(&text, name, true);
		vmt_buf_adds(&text, "' (see '-o help')");
		return wrong(p, p->at, text.data ? text.data : "no such field");
	}
	p->at += name.len;
	return 0;
}

static enum op take_op(struct parser *p)
{
	/* Those that begin like others come first. */
	static const struct {
		const char *token;
		enum op op;
	} ops[] = {
		{ "==", OP_EQ },       { "=~", OP_MATCH }, { "=", OP_EQ },  { "!=", OP_NE },
		{ "!~", OP_NO_MATCH }, { "~", OP_MATCH },  { "<=", OP_LE }, { "<", OP_LT },
		{ ">=", OP_GE },       { ">", OP_GT },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(ops); i++)
		if (take(p, ops[i].token))
			return ops[i].op;
	return OP_SET;
}

/* The value behind an operator; a NUL-ended copy. */
static int take_value(struct parser *p, char **ret)
{
	size_t n = 0;
	char quote;

	skip_blanks(p);
	quote = *p->at == '"' || *p->at == '\'' ? *p->at : 0;
	if (quote) {
		const char *end = strchr(p->at + 1, quote);

		if (!end)
			return wrong(p, p->at, "this quote has no end");
		*ret = strndup(p->at + 1, (size_t)(end - p->at - 1));
		p->at = end + 1;
		return *ret ? 0 : no_memory(p);
	}
	while (p->at[n] && !strchr(" \t\n()&|", p->at[n]))
		n++;
	if (n == 0)
		return wrong(p, p->at, "no value");
	*ret = strndup(p->at, n);
	p->at += n;
	return *ret ? 0 : no_memory(p);
}

/* A decimal number with up to three digits behind the point, in thousandths. */
static int take_milli(struct vmt_bytes *cur, unsigned __int128 *ret)
{
	uint64_t whole, milli = 0, digit = 100;

	int r = vmt_take_u64(cur, &whole);

	if (r < 0)
		return r;
	if (vmt_take_char(cur, '.') == 0) {
		if (!cur->len || !vmt_is_digit(*cur->ptr))
			return -EINVAL;
		for (; cur->len && vmt_is_digit(*cur->ptr); cur->ptr++, cur->len--) {
			milli += (uint64_t)(*cur->ptr - '0') * digit;
			digit /= 10;
		}
	}
	*ret = (unsigned __int128)whole * 1000 + milli;
	return 0;
}

static bool same_unit(struct vmt_bytes word, const char *unit)
{
	size_t i;

	if (word.len != strlen(unit))
		return false;
	for (i = 0; i < word.len; i++)
		if (word.ptr[i] != unit[i] && word.ptr[i] != unit[i] - 'A' + 'a')
			return false;
	return true;
}

/* A size: K, KiB 1024 and so on, KB 1000 and so on, B or nothing bytes, p pages. */
static int size_value(struct node *t, struct vmt_bytes cur)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "KIB", UINT64_C(1) << 10 },
		{ "KB", 1000 },
		{ "M", UINT64_C(1) << 20 },
		{ "MIB", UINT64_C(1) << 20 },
		{ "MB", 1000000 },
		{ "G", UINT64_C(1) << 30 },
		{ "GIB", UINT64_C(1) << 30 },
		{ "GB", 1000000000 },
		{ "T", UINT64_C(1) << 40 },
		{ "TIB", UINT64_C(1) << 40 },
		{ "TB", UINT64_C(1000000000000) },
	};
	unsigned __int128 milli, v;
	size_t i;
	int r = take_milli(&cur, &milli);

	if (r < 0)
		return r;
	if (vmt_bytes_is(cur, "p")) {
		t->in_pages = true;
		t->number = (uint64_t)(milli / 1000);
		return milli % 1000 ? -EINVAL : 0;
	}
	for (i = 0; i < VMT_ARRAY_LEN(units); i++) {
		if (!same_unit(cur, units[i].unit))
			continue;
		/* Below 2^64 * 1000 * 2^40. */
		v = milli * units[i].factor / 1000;
		if (v > UINT64_MAX)
			return -ERANGE;
		t->number = (uint64_t)v;
		return 0;
	}
	return -EINVAL;
}

static int number_value(struct node *t)
{
	struct vmt_bytes cur = vmt_bytes_of(t->text);
	unsigned __int128 milli = 0;
	int r;

	if (t->field->type == VMT_TYPE_BOOL) {
		if (vmt_bytes_is(cur, "yes") || vmt_bytes_is(cur, "true"))
			t->number = 1;
		else if (!vmt_bytes_is(cur, "no") && !vmt_bytes_is(cur, "false"))
			return vmt_parse_u64(t->text, &t->number);
		return 0;
	}
	if (t->field->type == VMT_TYPE_HEX)
		return vmt_parse_address(t->text, &t->number);
	if (t->field->type == VMT_TYPE_I64 && vmt_take_char(&cur, '-') == 0)
		t->negative = true;
	switch (t->field->unit) {
	case VMT_UNIT_BYTES:
		return size_value(t, cur);
	case VMT_UNIT_NS:
		return vmt_parse_duration(cur.ptr, &t->number);
	case VMT_UNIT_MILLI:
		r = take_milli(&cur, &milli);
		if (r == 0 && milli > UINT64_MAX)
			r = -ERANGE;
		t->number = (uint64_t)milli;
		break;
	case VMT_UNIT_NONE:
	case VMT_UNIT_PAGES:
	case VMT_UNIT_COUNT:
	default:
		r = vmt_take_u64(&cur, &t->number);
		break;
	}
	return r < 0 ? r : cur.len ? -EINVAL : 0;
}

int vmt_field_value(const struct vmt_field *f, const char *text, uint64_t page_size, uint64_t *ret)
{
	struct node t = { .field = f };
	uint64_t v;
	int r;

	t.text = strdup(text);
	if (!t.text)
		return -ENOMEM;
	r = f->type == VMT_TYPE_U64 ? number_value(&t) : -EINVAL;
	free(t.text);
	if (r < 0)
		return r;
	v = t.number;
	if (t.in_pages && __builtin_mul_overflow(v, page_size, &v))
		return -ERANGE;
	*ret = v;
	return 0;
}

static int value_of(struct parser *p, struct node *t, const char *at)
{
	bool text = vmt_field_is_text(t->field);
	char why[100];
	int r;

	if (text && (t->op == OP_MATCH || t->op == OP_NO_MATCH)) {
		r = regcomp(&t->regex, t->text, REG_EXTENDED | REG_NOSUB);
		if (r == REG_ESPACE)
			return no_memory(p);
		if (r) {
			regerror(r, &t->regex, why, sizeof(why));
			return wrong(p, at, why);
		}
		t->has_regex = true;
		return 0;
	}
	if (text)
		return 0;
	r = number_value(t);
	if (r == -ERANGE)
		return wrong(p, at, "this number is too large");
	if (r < 0)
		return wrong(p, at,
			     t->field->unit == VMT_UNIT_BYTES
				     ? "no size: a number with K, M, G, T (or KB, MB: powers of "
				       "1000), or p for pages"
			     : t->field->unit == VMT_UNIT_NS ? "no time: as 10, 2.5, 500ms, 3us"
							     : "no number");
	return 0;
}

static void test_done(struct node *t)
{
	free(t->text);
	if (t->has_regex)
		regfree(&t->regex);
}

static int parse_test(struct parser *p, size_t *ret)
{
	struct node t = { .kind = NODE_TEST };
	const char *at;
	bool text;
	int r = take_field(p, &t.field);

	if (r < 0)
		return r;
	skip_blanks(p);
	at = p->at;
	text = vmt_field_is_text(t.field);
	t.op = take_op(p);
	if (t.field->type == VMT_TYPE_HIST)
		return wrong(p, at, "a histogram cannot be compared");
	if (text && t.op >= OP_LT && t.op <= OP_GE)
		return wrong(p, at, "text knows = != ~ !~");
	if (!text && t.op >= OP_MATCH)
		return wrong(p, at, "a number knows = != < <= > >=");
	if (t.op != OP_SET) {
		skip_blanks(p);
		at = p->at;
		r = take_value(p, &t.text);
		if (r == 0)
			r = value_of(p, &t, at);
	}
	if (r == 0)
		r = add(p, &t, ret);
	if (r < 0)
		test_done(&t);
	return r;
}

static int parse_or(struct parser *p, size_t *ret);

static int parse_not(struct parser *p, size_t *ret)
{
	struct node node = { .kind = NODE_NOT };
	const char *at;
	int r;

	skip_blanks(p);
	at = p->at;
	if (*at != '!' && *at != '(')
		return parse_test(p, ret);
	if (++p->depth > VMT_FILTER_DEPTH)
		return vmt_err_set(p->err, -E2BIG, NULL, 0,
				   "filter, character %zu: nested deeper than %d",
				   (size_t)(at - p->begin) + 1, VMT_FILTER_DEPTH);
	p->at++;
	if (*at == '!') {
		r = parse_not(p, &node.left);
		if (r == 0)
			r = add(p, &node, ret);
	} else {
		r = parse_or(p, ret);
		if (r == 0 && !take(p, ")"))
			r = wrong(p, at, "this parenthesis has no end");
	}
	p->depth--;
	return r;
}

static int parse_and(struct parser *p, size_t *ret)
{
	struct node node = { .kind = NODE_AND };
	int r = parse_not(p, ret);

	while (r == 0 && take(p, "&&")) {
		node.left = *ret;
		r = parse_not(p, &node.right);
		if (r == 0)
			r = add(p, &node, ret);
	}
	return r;
}

static int parse_or(struct parser *p, size_t *ret)
{
	struct node node = { .kind = NODE_OR };
	int r = parse_and(p, ret);

	while (r == 0 && take(p, "||")) {
		node.left = *ret;
		r = parse_and(p, &node.right);
		if (r == 0)
			r = add(p, &node, ret);
	}
	return r;
}

int vmt_filter_parse(struct vmt_filter **ret, const struct vmt_entity *entity, const char *text,
		     struct vmt_err *err)
{
	VMT_AUTO_FILTER f = calloc(1, sizeof(*f));
	struct parser p = { .f = f, .entity = entity, .begin = text, .at = text, .err = err };
	int r;

	if (!f)
		return no_memory(&p);
	if (strlen(text) > VMT_FILTER_MAX)
		return vmt_err_set(err, -E2BIG, NULL, 0, "a filter of more than %d characters",
				   VMT_FILTER_MAX);
	r = parse_or(&p, &f->root);
	if (r < 0)
		return r;
	skip_blanks(&p);
	if (*p.at)
		return wrong(&p, p.at, "here && or || was expected, or the end");
	*ret = VMT_STEAL(f);
	return 0;
}

size_t vmt_filter_fields(const struct vmt_filter *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		n += f->nodes[i].kind == NODE_TEST;
	return n;
}

const struct vmt_field *vmt_filter_field(const struct vmt_filter *f, size_t i)
{
	size_t k;

	for (k = 0; k < f->n; k++)
		if (f->nodes[k].kind == NODE_TEST && i-- == 0)
			return f->nodes[k].field;
	return NULL;
}

/* <0, 0, >0 of the field's number and the test's. */
static int compare(const struct node *t, const void *row, uint64_t page_size)
{
	unsigned __int128 want = t->number;
	uint64_t have = vmt_field_number(t->field, row);
	bool below = t->field->type == VMT_TYPE_I64 && (int64_t)have < 0;
	int c;

	if (t->in_pages)
		want *= page_size;
	if (below != (t->negative && want))
		return below ? -1 : 1;
	if (below)
		have = -have;
	c = have < want ? -1 : have > want;
	return below ? -c : c;
}

static bool is_set(const struct node *t, const void *row)
{
	if (vmt_field_is_text(t->field))
		return ((const struct vmt_bytes *)vmt_field_at(t->field, row))->len != 0;
	return vmt_field_number(t->field, row) != 0;
}

static bool matches(const struct node *t, struct vmt_bytes text)
{
	/* glibc: the text has a length, not an end, and may hold any byte. */
	regmatch_t span = { .rm_so = 0, .rm_eo = (regoff_t)text.len };

	return text.len <= INT32_MAX &&
	       regexec(&t->regex, text.ptr ? text.ptr : "", 1, &span, REG_STARTEND) == 0;
}

static bool holds(const struct node *t, const void *row, uint64_t page_size)
{
	struct vmt_bytes text;

	if (t->op == OP_SET)
		return is_set(t, row);
	if (vmt_field_is_text(t->field)) {
		text = *(const struct vmt_bytes *)vmt_field_at(t->field, row);
		if (t->has_regex)
			return matches(t, text) == (t->op == OP_MATCH);
		return vmt_bytes_is(text, t->text) == (t->op == OP_EQ);
	}
	switch (t->op) {
	case OP_EQ:
		return compare(t, row, page_size) == 0;
	case OP_NE:
		return compare(t, row, page_size) != 0;
	case OP_LT:
		return compare(t, row, page_size) < 0;
	case OP_LE:
		return compare(t, row, page_size) <= 0;
	case OP_GT:
		return compare(t, row, page_size) > 0;
	case OP_GE:
		return compare(t, row, page_size) >= 0;
	case OP_SET:
	case OP_MATCH:
	case OP_NO_MATCH:
		break;
	}
	return false;
}

/* The children of a node come before it, so that one pass from the front does: no recursion. */
static enum vmt_truth node_truth(const struct vmt_filter *f, size_t i, const uint8_t *truth,
				 const void *row, uint64_t page_size)
{
	const struct node *n = &f->nodes[i];

	switch (n->kind) {
	case NODE_NOT:
		return (enum vmt_truth)(VMT_TRUE - truth[n->left]);
	case NODE_AND:
		return (enum vmt_truth)(truth[n->left] < truth[n->right] ? truth[n->left]
									 : truth[n->right]);
	case NODE_OR:
		return (enum vmt_truth)(truth[n->left] > truth[n->right] ? truth[n->left]
									 : truth[n->right]);
	case NODE_TEST:
		break;
	}
	if (!vmt_row_has(row, n->field->index))
		return VMT_UNKNOWN;
	return holds(n, row, page_size) ? VMT_TRUE : VMT_FALSE;
}

enum vmt_truth vmt_filter_test(const struct vmt_filter *f, const void *row, uint64_t page_size)
{
	/* A node takes a character at least. */
	uint8_t truth[VMT_FILTER_MAX + 1];
	size_t i;

	for (i = 0; i < f->n; i++)
		truth[i] = (uint8_t)node_truth(f, i, truth, row, page_size);
	return (enum vmt_truth)truth[f->root];
}
