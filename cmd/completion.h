/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/*
 * Completion scripts are made from the tables, one file for each shell (completion-SHELL.c). What
 * an option's or an operand's value can be is said by vmt_opt.values and vmt_cmd.operands; here it
 * is taken apart once for all shells.
 */
enum vmt_complete {
	VMT_COMPLETE_NOTHING, /* takes a value, and nobody can say which */
	VMT_COMPLETE_WORDS, /* words are known */
	VMT_COMPLETE_PIDS,
	VMT_COMPLETE_FILES,
	VMT_COMPLETE_DIRS,
	VMT_COMPLETE_USERS,
};

struct vmt_values {
	enum vmt_complete how;
	bool list; /* several may stand with commas between */
	struct vmt_buf words; /* with one blank between; for VMT_COMPLETE_WORDS */
};

void vmt_values_done(struct vmt_values *v);
/* What can stand for opt of cmd; cmd may be NULL, and its columns are not known then. */
void vmt_values_of_option(struct vmt_values *v, const struct vmt_cmd *cmd,
			  const struct vmt_opt *opt);
void vmt_values_of_operand(struct vmt_values *v, const struct vmt_cmd *cmd);

#define VMT_AUTO_VALUES VMT_CLEANUP(vmt_values_done) struct vmt_values

/* Text between single quotes of any shell of the three; a quote in it is written as end_quote. */
void vmt_quoted(struct vmt_buf *out, const char *text, const char *end_quote);

/* Each append a whole script. */
void vmt_completion_bash(struct vmt_buf *out);
void vmt_completion_zsh(struct vmt_buf *out);
void vmt_completion_fish(struct vmt_buf *out);
