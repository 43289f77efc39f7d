/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

struct vmt_cgroup_want;

/* What the commands that read the machine share: the collector, the samples, the model. */
struct vmt_run {
	struct vmt_collector *collector;
	struct vmt_sample *prev;
	struct vmt_sample *sample;
	struct vmt_model *model;
	struct vmt_doc doc;
	uint64_t budget_ns; /* by vmt_run_budget() */
};

void vmt_run_done(struct vmt_run *run);
#define VMT_AUTO_RUN VMT_CLEANUP(vmt_run_done) struct vmt_run

/* Opens the collector with the --root and --timeout of ctx; an exit code or 0. Without a timeout it
 * has ten seconds, and extra_ns for what the command waits for by itself. */
int vmt_run_open(struct vmt_run *run, struct vmt_ctx *ctx, uint64_t extra_ns);
/* The ten seconds begin anew: what went before, such as a probe that was loaded and counted for a
 * while, is to take nothing from the time to read processes in. A timeout that was named stays. */
void vmt_run_time_anew(struct vmt_run *run, const struct vmt_ctx *ctx);
/* Reads the cheap sources into run->sample (the one before becomes run->prev); exit code or 0. */
int vmt_run_sample(struct vmt_run *run, struct vmt_ctx *ctx, uint64_t sources, const uint64_t *pids,
		   size_t n_pids);
/* Reads cgroups into run->sample; an exit code, VMT_EXIT_NOTHING where the one that want names is
 * not there, or 0. */
int vmt_run_cgroups(struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_cgroup_want *want);
/* Sets what --budget and --force say, or the default where processes live; an exit code or 0. */
int vmt_run_budget(struct vmt_run *run, struct vmt_ctx *ctx);
/* Says in one line, before it is begun, that walking the page tables of the processes at indices
 * (NULL: of all in the sample) for those sources may take long. */
void vmt_run_announce(const struct vmt_run *run, const struct vmt_ctx *ctx, uint64_t sources,
		      const size_t *indices, size_t n);
/* Reads dear sources of the processes at indices; all processes where indices is NULL. With
 * VMT_COLLECT_COUNT their mappings are not kept. */
int vmt_run_procs(struct vmt_run *run, struct vmt_ctx *ctx, uint64_t sources, const size_t *indices,
		  size_t n);
/* Complains about each of pids that the sample has not, with the reason where there is one but that
 * it is not there; an exit code, VMT_EXIT_NOTHING where they are gone, or 0 where all are. */
int vmt_run_missing(const struct vmt_run *run, struct vmt_ctx *ctx, const uint64_t *pids, size_t n);
/* Complains where the mappings of a process could not be read, or not all of them; an exit code, or
 * 0. Who was left out because the time was over was so by the time, whatever came of him. */
int vmt_run_unread(const struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_proc *p);
/* Waits for ns between two looks; VMT_EXIT_TIMEOUT where --timeout was over, or 0. */
int vmt_run_wait(const struct vmt_ctx *ctx, uint64_t ns);
/* The exit code for what vmt_collect_pages() says; 0 where long mappings were left out. */
int vmt_run_pages_exit(int code);
/* Complains where the source that the command is about gave nothing; the exit code for it, or 0. */
int vmt_run_verdict(const struct vmt_run *run, struct vmt_ctx *ctx, enum vmt_source_id source);
/* The same for the cgroup that was asked for, the first that is shown: also where it may not be
 * looked into. */
int vmt_run_cgroup_verdict(const struct vmt_run *run, struct vmt_ctx *ctx);
/* Builds run->model and begins run->doc; exit code or 0. */
int vmt_run_model(struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_model_opts *opts);
/* Builds run->model anew, after more was read; rows of the old one are gone. Exit code or 0. */
int vmt_run_remodel(struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_model_opts *opts);
/* Adds a section of the command's own list by its key; NULL after a complaint. */
struct vmt_section *vmt_run_section(struct vmt_run *run, struct vmt_ctx *ctx, const char *key,
				    const void *rows, size_t n);
/* Lines that text shows below the last section: what is missing, and findings. */
void vmt_run_remarks(struct vmt_run *run, struct vmt_ctx *ctx, struct vmt_section *last);

#define VMT_OPTS_BUDGET                                                                            \
	{                                                                                          \
		"budget",                                                                          \
		0,                                                                                 \
		VMT_OPT_VALUE,                                                                     \
		"SEC",                                                                             \
		NULL,                                                                              \
		"leave out figures that may hold the lock of a process for longer (2)"             \
	},                                                                                         \
	{                                                                                          \
		"force", 0, VMT_OPT_FLAG, NULL, NULL, "read them, however long that may take"      \
	}
