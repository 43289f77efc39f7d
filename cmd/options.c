/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <langinfo.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/parse.h"
#include "cmd/commands.h"

static const struct vmt_opt base_opts[] = {
	{ "root", 0, VMT_OPT_VALUE, "DIR", "@dir", "read the saved proc/ and sys/ below DIR" },
	{ "sandbox", 0, VMT_OPT_FLAG, NULL, NULL,
	  "be killed at any system call that this command does without" },
	{ "timeout", 't', VMT_OPT_VALUE, "SEC", NULL, "give up after SEC seconds (exit 124)" },
	{ "quiet", 'q', VMT_OPT_FLAG, NULL, NULL, "no notes on standard error" },
	{ "verbose", 'v', VMT_OPT_FLAG, NULL, NULL, "say what is done; more when given twice" },
	{ "help", 'h', VMT_OPT_FLAG, NULL, NULL, "print help and exit" },
	{ "version", 'V', VMT_OPT_FLAG, NULL, NULL, "print the version and exit" },
};

static const struct vmt_opt output_opts[] = {
	{ "json", 'J', VMT_OPT_FLAG, NULL, NULL, "JSON, sizes in bytes (--format json)" },
	{ "ndjson", 0, VMT_OPT_FLAG, NULL, NULL, "one JSON object a line (--format ndjson)" },
	{ "csv", 0, VMT_OPT_FLAG, NULL, NULL, "the first table as CSV (--format csv)" },
	{ "format", 0, VMT_OPT_VALUE, "NAME", "@format", "text, json, ndjson or csv" },
	{ "raw", 0, VMT_OPT_FLAG, NULL, NULL, "columns with one blank between" },
	{ "noheadings", 0, VMT_OPT_FLAG, NULL, NULL, "no headings" },
	{ "bytes", 'b', VMT_OPT_FLAG, NULL, NULL, "sizes in bytes" },
	{ "kibi", 'k', VMT_OPT_FLAG, NULL, NULL, "sizes in KiB" },
	{ "mebi", 'm', VMT_OPT_FLAG, NULL, NULL, "sizes in MiB" },
	{ "gibi", 'g', VMT_OPT_FLAG, NULL, NULL, "sizes in GiB" },
	{ "pages", 0, VMT_OPT_FLAG, NULL, NULL, "sizes in pages" },
	{ "human", 0, VMT_OPT_FLAG, NULL, NULL, "sizes with a unit; the default on a terminal" },
	{ "ascii", 0, VMT_OPT_FLAG, NULL, NULL, "nothing but ASCII" },
	{ "write", 'w', VMT_OPT_VALUE, "FILE", "@file",
	  "write to FILE, which is replaced once the output is complete" },
	{ "strict", 0, VMT_OPT_FLAG, NULL, NULL, "exit 5 when something could not be read" },
	{ "fail-empty", 0, VMT_OPT_FLAG, NULL, NULL, "exit 3 when there is no row" },
};

static const struct vmt_opt table_opts[] = {
	{ "output", 'o', VMT_OPT_VALUE, "LIST", "@column",
	  "columns, with commas between; +LIST adds; help lists them" },
	{ "output-all", 0, VMT_OPT_FLAG, NULL, NULL, "all columns, and their cost" },
	{ "sort", 's', VMT_OPT_VALUE, "LIST", "@column", "order of the rows; -COLUMN descends" },
	{ "filter", 'F', VMT_OPT_VALUE, "EXPR", NULL,
	  "only rows of which EXPR is true, as rss>100M&&comm~^post; help explains it" },
};

static const struct vmt_opt top_opts[] = {
	{ "top", 0, VMT_OPT_VALUE, "N", NULL, "the first N rows" },
};

const struct vmt_opt vmt_opt_operand = { .name = "", .arg = VMT_OPT_VALUE };

static const struct {
	unsigned group;
	const struct vmt_opt *opts;
	size_t n;
} groups[] = {
	{ VMT_GROUP_TABLE, table_opts, VMT_ARRAY_LEN(table_opts) },
	{ VMT_GROUP_TOP, top_opts, VMT_ARRAY_LEN(top_opts) },
	{ VMT_GROUP_OUTPUT, output_opts, VMT_ARRAY_LEN(output_opts) },
	{ VMT_GROUP_BASE, base_opts, VMT_ARRAY_LEN(base_opts) },
};

const struct vmt_opt *vmt_group_opts(unsigned group, size_t *ret_n)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(groups); i++) {
		if (groups[i].group == group) {
			*ret_n = groups[i].n;
			return groups[i].opts;
		}
	}
	*ret_n = 0;
	return NULL;
}

/* A command that means something of its own by an option of a group has it among its own. */
static bool has_own(const struct vmt_cmd *cmd, const char *name)
{
	size_t k;

	for (k = 0; k < cmd->n_opts; k++)
		if (strcmp(cmd->opts[k].name, name) == 0)
			return true;
	return false;
}

void vmt_cmd_each_opt(const struct vmt_cmd *cmd, void (*fn)(const struct vmt_opt *opt, void *arg),
		      void *arg)
{
	size_t i, k;

	for (k = 0; k < cmd->n_opts; k++)
		fn(&cmd->opts[k], arg);
	for (i = 0; i < VMT_ARRAY_LEN(groups); i++)
		for (k = 0; cmd->groups & groups[i].group && k < groups[i].n; k++)
			if (!has_own(cmd, groups[i].opts[k].name))
				fn(&groups[i].opts[k], arg);
}

/* What getopt_long wants, made from the tables. */
struct spec {
	struct option longs[VMT_OPTS_MAX + 1];
	char shorts[2 * VMT_OPTS_MAX + 3];
	const struct vmt_opt *opts[VMT_OPTS_MAX];
	size_t n;
};

static void spec_add(const struct vmt_opt *opt, void *arg)
{
	static const int has_arg[] = {
		[VMT_OPT_FLAG] = no_argument,
		[VMT_OPT_VALUE] = required_argument,
		[VMT_OPT_MAYBE] = optional_argument,
	};
	struct spec *s = arg;
	size_t len = strlen(s->shorts), i;

	if (s->n == VMT_OPTS_MAX)
		return;
	for (i = 0; i < s->n; i++)
		if (strcmp(s->opts[i]->name, opt->name) == 0)
			return;
	s->longs[s->n] = (struct option){
		.name = opt->name,
		.has_arg = has_arg[opt->arg],
		.val = 256 + (int)s->n,
	};
	s->opts[s->n++] = opt;
	/* A command's own letter goes before the same one of a group. */
	if (opt->letter && !strchr(s->shorts, opt->letter)) {
		s->shorts[len++] = opt->letter;
		if (opt->arg == VMT_OPT_VALUE)
			s->shorts[len++] = ':';
		s->shorts[len] = 0;
	}
}

static const struct vmt_opt *spec_find(const struct spec *s, int c)
{
	size_t i;

	if (c >= 256)
		return (size_t)(c - 256) < s->n ? s->opts[c - 256] : NULL;
	for (i = 0; i < s->n; i++)
		if (s->opts[i]->letter == c)
			return s->opts[i];
	return NULL;
}

/* The command is the first word that is neither an option nor an option's value. Options before
 * it may be those of any group. */
static int find_command(int argc, char **argv)
{
	static const struct vmt_cmd any = {
		.groups = VMT_GROUP_ALL,
	};
	struct spec spec = { .shorts = "+:" };
	int i;

	vmt_cmd_each_opt(&any, spec_add, &spec);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while (getopt_long(argc, argv, spec.shorts, spec.longs, NULL) != -1)
		;
	i = optind;
	/* A "--" before the command is no command. */
	return i < argc && i > 0 && strcmp(argv[i - 1], "--") != 0 ? i : 0;
}

/* Whether words without a command are a dashboard: on a terminal, with options that all are its. */
static bool is_dashboard(int argc, char **argv)
{
	struct spec spec = { .shorts = "+:" };
	int c;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	vmt_cmd_each_opt(&vmt_cmd_top, spec_add, &spec);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, spec.shorts, spec.longs, NULL)) != -1)
		if (c == '?' || c == ':')
			return false;
	return optind == argc;
}

const char *vmt_ctx_value(const struct vmt_ctx *ctx, const char *name)
{
	size_t i;

	for (i = ctx->n_given; i > 0; i--)
		if (strcmp(ctx->given[i - 1].opt->name, name) == 0)
			return ctx->given[i - 1].value;
	return NULL;
}

bool vmt_ctx_given(const struct vmt_ctx *ctx, const char *name)
{
	return vmt_ctx_value(ctx, name) != NULL;
}

static int bad_option(struct vmt_ctx *ctx, const struct spec *spec, int c, char **argv)
{
	VMT_AUTO_BUF word = { 0 };

	if (optopt >= 256) {
		const struct vmt_opt *opt = spec_find(spec, optopt);

		if (c == ':')
			return vmt_usage_error(ctx, "option '--%s' needs a value", opt->name);
		return vmt_usage_error(ctx, "option '--%s' takes no value", opt->name);
	}
	if (optopt) {
		char letter[2] = { (char)optopt, 0 };

		vmt_fmt_safe(&word, vmt_bytes_of(letter), true);
		if (c == ':')
			return vmt_usage_error(ctx, "option '-%s' needs a value", word.data);
		return vmt_usage_error(ctx, "no option '-%s'", word.data);
	}
	vmt_fmt_safe(&word, vmt_bytes_of(argv[optind - 1]), true);
	return vmt_usage_error(ctx, "no option '%.80s', or not clear which",
			       word.data ? word.data : "");
}

static int check_number(struct vmt_ctx *ctx, const char *name)
{
	const char *value = vmt_ctx_value(ctx, name);
	uint64_t v;

	if (value && vmt_parse_u64(value, &v) < 0)
		return vmt_usage_error(ctx, "--%s takes a whole number", name);
	return 0;
}

/* Where the document goes without -w. */
static int document_fd(const struct vmt_ctx *ctx)
{
	return ctx->cmd->to_stderr ? STDERR_FILENO : STDOUT_FILENO;
}

/* Whether a person reads it as it is written: a file of -w is read later, and elsewhere. */
static bool on_terminal(const struct vmt_ctx *ctx)
{
	return !vmt_ctx_given(ctx, "write") && isatty(document_fd(ctx));
}

static void choose_unit(struct vmt_ctx *ctx)
{
	static const struct {
		const char *name;
		enum vmt_size_unit unit;
	} units[] = {
		{ "bytes", VMT_SIZE_BYTES }, { "kibi", VMT_SIZE_KIB },
		{ "mebi", VMT_SIZE_MIB },    { "gibi", VMT_SIZE_GIB },
		{ "pages", VMT_SIZE_PAGES }, { "human", VMT_SIZE_HUMAN },
	};
	size_t i, k;

	/* Pages and pictures are read by people, wherever they are written to. */
	ctx->out.unit = on_terminal(ctx) || ctx->format->commands ? VMT_SIZE_HUMAN : VMT_SIZE_BYTES;
	/* The last one given decides. */
	for (i = 0; i < ctx->n_given; i++)
		for (k = 0; k < VMT_ARRAY_LEN(units); k++)
			if (strcmp(ctx->given[i].opt->name, units[k].name) == 0)
				ctx->out.unit = units[k].unit;
}

bool vmt_cmd_takes_format(const struct vmt_cmd *cmd, const struct vmt_output *format)
{
	size_t i, k;

	for (i = 0; format->commands && format->commands[i]; i++)
		if (cmd->name && strcmp(cmd->name, format->commands[i]) == 0)
			return true;
	if (format->commands)
		return false;
	for (i = 0; format->only && i < cmd->n_sections; i++)
		for (k = 0; format->only[k]; k++)
			if (cmd->sections[i].entity == format->only[k])
				return true;
	return !format->only;
}

static unsigned terminal_width(const struct vmt_ctx *ctx)
{
	struct winsize ws;
	const char *columns;
	uint64_t v;

	if (!on_terminal(ctx))
		return 0;
	columns = secure_getenv("COLUMNS");
	if (columns && vmt_parse_u64(columns, &v) == 0 && v > 0 && v < 10000)
		return (unsigned)v;
	if (ioctl(document_fd(ctx), TIOCGWINSZ, &ws) == 0 && ws.ws_col)
		return ws.ws_col;
	return 80;
}

/* What the shared options mean. */
static int settle(struct vmt_ctx *ctx)
{
	const char *value = vmt_ctx_value(ctx, "format");
	size_t i;

	ctx->format = vmt_output_find("text");
	for (i = 0; i < ctx->n_given; i++) {
		const char *name = ctx->given[i].opt->name;

		if (strcmp(name, "json") == 0 || strcmp(name, "ndjson") == 0 ||
		    strcmp(name, "csv") == 0)
			ctx->format = vmt_output_find(name);
		else if (strcmp(name, "format") == 0)
			ctx->format = vmt_output_find(ctx->given[i].value);
		else if (strcmp(name, "verbose") == 0)
			ctx->verbose++;
	}
	if (!ctx->format)
		return vmt_usage_error(ctx, "--format takes text, json, ndjson or csv, not '%.40s'",
				       value ? value : "");
	if (!vmt_cmd_takes_format(ctx->cmd, ctx->format))
		return vmt_usage_error(ctx, "--format %s is not for this command",
				       ctx->format->name);
	choose_unit(ctx);
	ctx->out.headings = !vmt_ctx_given(ctx, "noheadings");
	ctx->out.raw = vmt_ctx_given(ctx, "raw");
	ctx->out.ascii = vmt_ctx_given(ctx, "ascii") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	ctx->out.width = terminal_width(ctx);
	ctx->out.indent = on_terminal(ctx) ? 2 : 0;
	ctx->out.all_fields = !vmt_ctx_given(ctx, "output");
	ctx->quiet = vmt_ctx_given(ctx, "quiet");
	ctx->root = vmt_ctx_value(ctx, "root");
	value = vmt_ctx_value(ctx, "timeout");
	if (value) {
		uint64_t ns;

		if (vmt_parse_duration(value, &ns) < 0 || ns == 0)
			return vmt_usage_error(ctx, "--timeout takes seconds, as 10, 2.5 or 500ms");
		ctx->deadline_ns = ctx->started_ns + ns;
	}
	return check_number(ctx, "top");
}

/* What stands behind "--" of a command that is ordered. */
static int order_rest(struct vmt_ctx *ctx)
{
	for (; ctx->cmd->ordered && ctx->n_operands; ctx->operands++, ctx->n_operands--) {
		if (ctx->n_given == VMT_OPTS_MAX)
			return vmt_usage_error(ctx, "more than %d options", VMT_OPTS_MAX);
		ctx->given[ctx->n_given].opt = &vmt_opt_operand;
		ctx->given[ctx->n_given++].value = ctx->operands[0];
	}
	return 0;
}

int vmt_options_parse(struct vmt_ctx *ctx, int argc, char **argv)
{
	struct spec spec = { .shorts = ":" };
	int at = find_command(argc, argv), c, r, i;

	if ((!at || !vmt_cmd_find(argv[at])) && is_dashboard(argc, argv)) {
		ctx->cmd = &vmt_cmd_top;
		at = 0;
	}
	ctx->named = at != 0;
	if (at) {
		ctx->cmd = vmt_cmd_find(argv[at]);
		if (!ctx->cmd) {
			VMT_AUTO_BUF word = { 0 };

			vmt_fmt_safe(&word, vmt_bytes_of(argv[at]), true);
			return vmt_usage_error(ctx, "no command '%.60s' (see 'vmtop help')",
					       word.data ? word.data : "");
		}
		/* What is left is options and operands, in any order. */
		for (i = at; i + 1 < argc; i++)
			argv[i] = argv[i + 1];
		argv[--argc] = NULL;
	}
	if (ctx->cmd->runs)
		memcpy(spec.shorts, "+:", sizeof("+:"));
	if (ctx->cmd->ordered)
		memcpy(spec.shorts, "-:", sizeof("-:"));
	vmt_cmd_each_opt(ctx->cmd, spec_add, &spec);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, spec.shorts, spec.longs, NULL)) != -1) {
		const struct vmt_opt *opt;

		if (c == '?' || c == ':')
			return bad_option(ctx, &spec, c, argv);
		/* An operand of a command that is ordered. */
		opt = c == 1 ? &vmt_opt_operand : spec_find(&spec, c);
		if (ctx->n_given == VMT_OPTS_MAX)
			return vmt_usage_error(ctx, "more than %d options", VMT_OPTS_MAX);
		ctx->given[ctx->n_given].opt = opt;
		ctx->given[ctx->n_given].value = opt->arg != VMT_OPT_FLAG && optarg ? optarg : "";
		ctx->n_given++;
	}
	ctx->operands = argv + optind;
	ctx->n_operands = (size_t)(argc - optind);
	r = order_rest(ctx);
	if (r == 0)
		r = settle(ctx);
	if (r)
		return r;
	if (vmt_ctx_given(ctx, "help") || vmt_ctx_given(ctx, "version"))
		return -1;
	if (ctx->n_operands > ctx->cmd->max_operands) {
		VMT_AUTO_BUF word = { 0 };

		vmt_fmt_safe(&word, vmt_bytes_of(ctx->operands[ctx->cmd->max_operands]), true);
		return vmt_usage_error(ctx, "one word too many: '%.60s'",
				       word.data ? word.data : "");
	}
	if (ctx->n_operands < ctx->cmd->min_operands)
		return vmt_usage_error(ctx, "what is missing: vmtop %s %s", ctx->cmd->name,
				       ctx->cmd->synopsis);
	return -1;
}
