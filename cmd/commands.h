/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/filter.h"
#include "model/model.h"
#include "source/collect.h"
#include "source/root.h"
#include "view/doc.h"

/* Exit codes, the same in every command. */
enum vmt_exit {
	VMT_EXIT_OK = 0,
	VMT_EXIT_FAILED = 1,
	VMT_EXIT_USAGE = 2,
	VMT_EXIT_NOTHING = 3,
	VMT_EXIT_DENIED = 4,
	VMT_EXIT_PARTIAL = 5,
	VMT_EXIT_BUDGET = 123,
	VMT_EXIT_TIMEOUT = 124,
	VMT_EXIT_NO_EXEC = 126,
	VMT_EXIT_NO_COMMAND = 127,
};

enum vmt_opt_arg {
	VMT_OPT_FLAG,
	VMT_OPT_VALUE,
	VMT_OPT_MAYBE, /* a value behind "=", or none: then it is "" */
};

/*
 * One option. Help, completion and the check of the man pages are made from these. values is what
 * completion offers: words with blanks between, or @file, @dir, @pid, @column, @format, @command.
 */
struct vmt_opt {
	const char *name; /* long name, without dashes */
	char letter; /* 0 where it has none */
	enum vmt_opt_arg arg;
	const char *metavar;
	const char *values;
	const char *help;
};

/* Groups of options that several commands share (options.c). */
#define VMT_GROUP_BASE	 1u /* help, root, timeout, verbosity: every command */
#define VMT_GROUP_OUTPUT 2u /* format, units, file, and exit codes that follow from the result */
#define VMT_GROUP_TABLE	 4u /* columns and order */
#define VMT_GROUP_TOP	 8u /* number of rows */
/* Of all groups options may stand before the command. */
#define VMT_GROUP_ALL (VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP)

struct vmt_ctx;

struct vmt_cmd {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *synopsis; /* operands and options behind the name, for usage lines */
	const char *cost; /* what reading it costs, for help and man page */
	const struct vmt_opt *opts;
	size_t n_opts;
	unsigned groups;
	const struct vmt_section_def *sections; /* of its document; NULL where it has none */
	size_t n_sections;
	size_t n_asked; /* of the sections, the last ones: there where they were asked for */
	bool sections_optional; /* its document has those that were asked for and could be had */
	bool has_probes; /* its document may have "probes" */
	bool hidden;
	/* What completion offers for operands, as in vmt_opt.values. */
	const char *operands;
	unsigned min_operands;
	unsigned max_operands;
	bool runs; /* operands are a command and its words: options end at the first */
	/* Options belong to the operand before them: both stand in ctx->given, in their order. */
	bool ordered;
	bool plugin; /* exit codes of monitoring plugins: what failed is 3 */
	unsigned keeps; /* enum vmt_right (cmd/privilege.h) */
	bool to_stderr; /* stdout is another program's: the document goes to stderr, or -w */
	int (*run)(struct vmt_ctx *ctx); /* an exit code */
};

/* THE list of commands, NULL at the end. */
extern const struct vmt_cmd *const vmt_cmds[];
const struct vmt_cmd *vmt_cmd_find(const char *name);

/* Whether a command has the rows that a format is for. */
bool vmt_cmd_takes_format(const struct vmt_cmd *cmd, const struct vmt_output *format);

/* Options that a command understands: its own, then those of its groups. Calls fn for each. */
void vmt_cmd_each_opt(const struct vmt_cmd *cmd, void (*fn)(const struct vmt_opt *opt, void *arg),
		      void *arg);
const struct vmt_opt *vmt_group_opts(unsigned group, size_t *ret_n);

#define VMT_OPTS_MAX 128

/* In ctx->given of a command that is ordered: an operand. */
extern const struct vmt_opt vmt_opt_operand;

/* What one run was asked for. */
struct vmt_ctx {
	const struct vmt_cmd *cmd;
	bool named; /* the command was given, and is not the one for none */
	struct {
		const struct vmt_opt *opt;
		const char *value; /* "" for a flag that was given; NULL for one that was not */
	} given[VMT_OPTS_MAX];
	size_t n_given;
	char **operands;
	size_t n_operands;
	struct vmt_out_opts out;
	const struct vmt_output *format;
	const char *root;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0 for none */
	unsigned verbose;
	bool quiet;
	bool partial; /* something that was asked for could not be had */
	/* Signal that ended what was counted, and was not to end the output; or 0. Who sent it is
	 * not kept waiting for a reader that does not read: vmt_ctx_patience(). */
	int ended_by;
	void (*old_pipe)(int); /* what SIGPIPE and SIGXFSZ did before vmtop ignored them */
	void (*old_xfsz)(int);
	void (*old_chld)(int); /* of run */
	char *old_debuginfod; /* "DEBUGINFOD_URLS=..." as it stood in the environment, or NULL */
	struct vmt_filter *filter; /* of --filter, once vmt_ctx_filter() made it */
	const struct vmt_entity *filter_entity;
};

/* Of a sink of this output, in ms. */
static inline unsigned vmt_ctx_patience(const struct vmt_ctx *ctx)
{
	return ctx->ended_by ? 3000 : 0;
}

/* Text of an option's value, "" where a flag was given, NULL where the option was not. */
const char *vmt_ctx_value(const struct vmt_ctx *ctx, const char *name);
bool vmt_ctx_given(const struct vmt_ctx *ctx, const char *name);

/* Fills ctx from the words behind the program's name; an exit code, or -1 to go on. */
int vmt_options_parse(struct vmt_ctx *ctx, int argc, char **argv);

/* One line on stderr, "vmtop: maps: text"; text is printf's. */
void vmt_complain(const struct vmt_ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Says that memory is short; VMT_EXIT_FAILED. */
int vmt_no_memory(const struct vmt_ctx *ctx);
/* The same from an error, with file and line where it has them; returns the exit code for it. */
int vmt_complain_err(const struct vmt_ctx *ctx, const struct vmt_err *err);
/* A note that -q silences. */
void vmt_note(const struct vmt_ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A complaint about how the command was called; VMT_EXIT_USAGE. */
int vmt_usage_error(const struct vmt_ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Applies -o, -s, -F, --top to the first section (where the command takes them); 0, or an exit code
 * after a complaint.
 */
int vmt_section_options(struct vmt_ctx *ctx, struct vmt_section *section);
/* Makes ctx->filter of --filter for rows of entity, NULL where it was not given; an exit code or
 * 0. Again for another entity. */
int vmt_ctx_filter(struct vmt_ctx *ctx, const struct vmt_entity *entity);
/* The fields of entity that -o, --output-all, -s and -F name, or its default ones: columns and
 * order. ret is empty before, and the caller's; an exit code or 0. */
int vmt_wanted_columns(struct vmt_ctx *ctx, const struct vmt_entity *entity,
		       struct vmt_columns *ret);
/* The sources that -o, -s and -F (or else the default columns) of an entity ask for. In machine
 * formats without -o only the default columns decide too. VMT_COLLECT_CHEAP is among them where
 * all that is wanted of smaps can be had of pagemap. An exit code or 0. */
int vmt_wanted_sources(struct vmt_ctx *ctx, const struct vmt_entity *entity, uint64_t *ret);
/* Prints "-o help" or "-F help" for the command's first section and says so; else false. */
bool vmt_column_help(struct vmt_ctx *ctx, const struct vmt_entity *entity, int *ret_exit);

/* Puts the document out in the format that was asked for, to stdout or the file of -w; an exit
 * code. */
int vmt_print_doc(struct vmt_ctx *ctx, struct vmt_doc *doc);
/* Lets fill write to stdout or -w as it goes; fill returns 0, the negative errno of the
 * sink, or an exit code above 0. An exit code. */
int vmt_print_stream(struct vmt_ctx *ctx, int (*fill)(struct vmt_sink *sink, void *arg), void *arg);
/* The exit code for what a document that was printed says: --timeout, --fail-empty, --strict. */
int vmt_doc_verdict(struct vmt_ctx *ctx, const struct vmt_doc *doc);
/* Writes text as it is, to stdout or -w; an exit code. */
int vmt_print_text(struct vmt_ctx *ctx, const struct vmt_buf *text);
/* Writes text to a file as -w does: beside it, synced, renamed, with that mode (0: for its owner
 * alone). What is no regular file is refused. An exit code, after a complaint. */
int vmt_write_text(struct vmt_ctx *ctx, const char *path, unsigned mode,
		   const struct vmt_buf *text);

/* Process ids from words; an exit code or 0. The caller frees *ret. */
int vmt_parse_pids(struct vmt_ctx *ctx, const char *list, uint64_t **ret, size_t *ret_n);

/* Prints help of a command, or of vmtop where cmd is NULL; an exit code. */
int vmt_help(struct vmt_ctx *ctx, const struct vmt_cmd *cmd);

extern const struct vmt_cmd vmt_cmd_free, vmt_cmd_ps, vmt_cmd_maps, vmt_cmd_pages, vmt_cmd_addr,
	vmt_cmd_faults, vmt_cmd_run, vmt_cmd_report, vmt_cmd_doctor, vmt_cmd_schema, vmt_cmd_help,
	vmt_cmd_completion, vmt_cmd_introspect, vmt_cmd_cache, vmt_cmd_zones, vmt_cmd_kernel,
	vmt_cmd_cgroups, vmt_cmd_top, vmt_cmd_metrics, vmt_cmd_record, vmt_cmd_replay,
	vmt_cmd_check, vmt_cmd_diff, vmt_cmd_events;
