/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "model/fault-raw.h"

/* What 'faults' and 'run' show of what was counted. */

/* Sections of a document: the faults, the sum of each process, calls of filemap_fault. */
#define VMT_FAULT_SECTIONS                                                                         \
	{ "faults", &vmt_entity_fault, false, "page faults by mapping, process or file" },         \
		{ "balance", &vmt_entity_balance, false,                                           \
		  "the sum of each process against the kernel's counters" },                       \
	{                                                                                          \
		"files", &vmt_entity_file, false, "calls of filemap_fault by file"                 \
	}

/* "all", and the names of kinds, with blanks between. */
extern const char vmt_fault_kind_words[];

/* Options that vmt_fault_summary(), vmt_fault_sections() and vmt_window_run() ask for. */
#define VMT_OPTS_FAULT                                                                               \
	{ "summary",                                                                                 \
	  0,                                                                                         \
	  VMT_OPT_VALUE,                                                                             \
	  "WHAT",                                                                                    \
	  "vma proc file cgroup kind ip",                                                            \
	  "a row for each mapping (vma, the default), process, file, cgroup, kind or instruction" }, \
		{ "kind",                                                                            \
		  0,                                                                                 \
		  VMT_OPT_VALUE,                                                                     \
		  "LIST",                                                                            \
		  vmt_fault_kind_words,                                                              \
		  "only faults that were served in these ways, a row for each; all: each kind" },    \
		{ "rung",                                                                            \
		  0,                                                                                 \
		  VMT_OPT_VALUE,                                                                     \
		  "NAME",                                                                            \
		  "auto fexit kprobe tracepoint perf proc",                                          \
		  "how to count; auto takes the best that works" },                                  \
		{ "overhead",                                                                        \
		  0,                                                                                 \
		  VMT_OPT_VALUE,                                                                     \
		  "PERCENT",                                                                         \
		  NULL,                                                                              \
		  "time one fault in 8 on CPUs where counting takes more than that (default 5)" },   \
	{                                                                                            \
		"balance", 0, VMT_OPT_FLAG, NULL, NULL,                                              \
			"show the sum of each process in text, too"                                  \
	}

/* Behind these: the section that is there with --stacks, and the option itself. */
#define VMT_STACK_SECTION                                                                          \
	{                                                                                          \
		"stacks", &vmt_entity_stack, false, "page faults by stack, with --stacks"          \
	}
#define VMT_OPT_STACKS                                                                             \
	{                                                                                          \
		"stacks", 0, VMT_OPT_FLAG, NULL, NULL,                                             \
			"count by stack, too; --format folded gives these for a flame graph"       \
	}

struct vmt_model_opts;

/*
 * What the rows, and the columns of faults that are shown, sorted by or filtered, do not need to be
 * known: the VMT_HAVE_ bits for vmt_window_opts.without. An exit code or 0.
 */
int vmt_fault_without(struct vmt_ctx *ctx, const struct vmt_model_opts *opts, uint32_t *ret);
/* The same of what faults bring into the page cache, which the section of files alone shows. */
uint32_t vmt_fault_without_pages(const struct vmt_ctx *ctx);
/* What --summary and --kind say; an exit code or 0. */
int vmt_fault_summary(struct vmt_ctx *ctx, struct vmt_model_opts *ret);
/*
 * What the rows, and columns that were named, take beyond what is always counted (enum
 * vmt_fault_ask). entity is that of the options for columns. An exit code or 0.
 */
int vmt_fault_asks(struct vmt_ctx *ctx, const struct vmt_model_opts *opts,
		   const struct vmt_entity *entity, uint32_t *ret);
/* What --overhead says, for vmt_window_opts.overhead_percent. Not with what is of each fault:
 * singles, and some of asks. An exit code or 0. */
int vmt_fault_overhead(struct vmt_ctx *ctx, bool singles, uint32_t asks, uint64_t *ret_percent);
/* The sources, as VMT_SOURCE_BITs, of the sample that the faults are put into. */
uint32_t vmt_fault_sources(uint32_t asks);
/* Whether it takes counts by mapping and kind. */
bool vmt_fault_by_kind(const struct vmt_model_opts *opts);
/*
 * Adds the three sections of the model's faults, with -o, -s, -F and --top for the first, and how
 * it was counted below it. Where single faults were asked for, a section of these stands before
 * them, is what the options are for, and the only table of text; a document that has a section
 * already is a stream of them. *ret_first (may be NULL) is the
 * section of the faults, *ret_last the one that text shows last. An exit code or 0.
 */
int vmt_fault_sections(struct vmt_ctx *ctx, struct vmt_run *run, const struct vmt_model_opts *opts,
		       struct vmt_section **ret_first, struct vmt_section **ret_last);

/* What of stacks --stacks, --summary and --format ask for. */
enum vmt_stack_depth vmt_fault_stacks(const struct vmt_ctx *ctx);
/* Adds the section of the model's stacks, where there are any, with --top; *last becomes it then.
 * An exit code or 0. */
int vmt_fault_stack_section(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_section **last);
