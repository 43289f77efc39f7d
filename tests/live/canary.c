/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * canary [RUNG]...: the self-check of the probe trusts what counts. Each RUNG has to work; the best
 * one has to be the first of them. Without names, whatever works best. What is not to be known is
 * not attached.
 * canary --silent: with kernel.ftrace_enabled=0, programs around handle_mm_fault() attach and count
 * nothing. That has to be noticed, said, and made up for. For guests only: it stops the tracing of
 * the whole machine for a while.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/probe.h"

/* Starts a probe, reads what it tells of itself, and ends it. */
static int try(enum vmt_rung_id rung, uint32_t without, struct vmt_arena *arena,
	       struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct vmt_probe_opts opts = { .rung = rung, .without = without };
	VMT_AUTO_PROBE probe = NULL;
	struct vmt_err unused;
	int r = vmt_probe_open(&opts, &probe, err);

	if (r)
		return r;
	r = vmt_probe_start(probe, err);
	if (!r)
		r = vmt_probe_stop(probe, err);
	if (vmt_probe_read(probe, arena, ret, &unused))
		return -EIO;
	return r;
}

/* Every better rung says why it is not the one that was taken. */
static void judge_reasons(struct check *c, const struct vmt_fault_sample *f)
{
	for (size_t i = 0; i < f->n_tries; i++) {
		const struct vmt_probe_try *t = &f->tries[i];

		if (t->hook)
			continue;
		printf("# %s: %s %s: %s; %s\n", c->name, t->rung, vmt_try_status_name(t->status),
		       t->reason, t->fix);
		if (!strcmp(t->rung, vmt_rung_name(f->rung)))
			break;
		check_that(c,
			   t->status != VMT_TRY_OK && t->status != VMT_TRY_UNUSED && t->reason[0],
			   "%s is %s without a reason", t->rung, vmt_try_status_name(t->status));
	}
}

/* What came of a start: r and err, or a sample. */
static void judge_start(const char *name, int r, const struct vmt_fault_sample *f,
			const struct vmt_err *err, const char *expected)
{
	struct check c;

	check_begin(&c, "canary/%s", name);
	check_that(&c, !r, "%s", err->text);
	if (!r) {
		check_that(&c, !expected || !strcmp(vmt_rung_name(f->rung), expected), "not %s",
			   expected);
		check_that(&c, f->canary == VMT_CANARY_TRUSTED, "it is %s",
			   vmt_canary_name(f->canary));
	}
	judge_reasons(&c, f);
	check_end(&c, "%s, %s: %s", vmt_rung_name(f->rung), vmt_canary_name(f->canary),
		  f->canary_text);
}

static void judge(const char *name, enum vmt_rung_id rung, const char *expected)
{
	struct vmt_fault_sample f = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_arena arena;
	int r;

	vmt_arena_init(&arena);
	r = try(rung, 0, &arena, &f, &err);
	judge_start(name, r, &f, &err, expected);
	vmt_arena_done(&arena);
}

/* Whether the kernel has the functions that the short way of counting needs, and the tracepoint at
 * the begin of faults: by their names, where the probe looks at types. */
static bool kernel_casts(bool *ret_begins)
{
	VMT_AUTO_FCLOSE FILE *f = fopen("/sys/kernel/btf/vmlinux", "re");
	VMT_AUTO_FREE char *line = NULL;
	size_t size = 0;
	bool cast = false, context = false;

	while (f && getdelim(&line, &size, 0, f) > 0) {
		cast = cast || !strcmp(line, "bpf_rdonly_cast");
		context = context || !strcmp(line, "bpf_cast_to_kern_ctx");
		*ret_begins = *ret_begins || !strcmp(line, "btf_trace_page_fault_user");
	}
	return cast && context;
}

/* What nobody asks for is not attached, is not known then, and the count is exact without it: by
 * the short way where the kernel has it, on which there is no second count. */
static void judge_without(void)
{
	const uint32_t begin = VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY |
			       VMT_HAVE_SIGBUS | VMT_HAVE_KINDS | VMT_HAVE_ABANDONED;
	struct vmt_fault_sample f = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_arena arena;
	struct check c;
	size_t on_event = 0, on_begin = 0;
	bool begins = false, casts = kernel_casts(&begins);
	int r;

	begins = begins && casts;
	vmt_arena_init(&arena);
	check_begin(&c, "canary/without");
	r = try(VMT_RUNG_TRACEPOINT, begin, &arena, &f, &err);
	check_that(&c, !r, "%s", err.text);
	check_that(&c, r || f.canary == VMT_CANARY_TRUSTED, "it is %s", f.canary_text);
	check_that(&c, r || !(f.have & begin), "it knows 0x%x", f.have & begin);
	check_that(&c, r || f.have & VMT_HAVE_DEATHS, "ends of processes are not seen");
	for (size_t i = 0; i < f.n_tries; i++) {
		const char *hook = f.tries[i].hook ? f.tries[i].hook : "";

		if (begins && f.tries[i].status == VMT_TRY_OK &&
		    (strstr(hook, "page_fault_user") || strstr(hook, "signal_generate"))) {
			on_begin++;
			continue;
		}
		check_that(
			&c,
			!strstr(hook, "page_fault_") && !strstr(hook, "signal_generate") &&
				!(strstr(hook, "mm_filemap") && !strcmp(f.tries[i].probe, "fault")),
			"%s is attached", hook);
		on_event += !strcmp(hook, "software:minor-faults") &&
			    f.tries[i].status == VMT_TRY_OK;
	}
	check_that(&c, r || on_event == 1u + casts, "%zu programs for the event of minor faults",
		   on_event);
	check_that(&c, r || on_begin == 2u * begins, "%zu programs for the begin of faults",
		   on_begin);
	check_that(&c, r || !(f.have & VMT_HAVE_RECORD) == begins, "the count of record is %sknown",
		   begins ? "" : "not ");
	check_end(&c, "%s", f.canary_text);
	vmt_arena_done(&arena);
}

static const char ftrace[] = "/proc/sys/kernel/ftrace_enabled";

static int set_ftrace(const char *value)
{
	int fd = open(ftrace, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static const struct vmt_probe_try *find_try(const struct vmt_fault_sample *f, const char *rung)
{
	for (size_t i = 0; i < f->n_tries; i++)
		if (!f->tries[i].hook && !strcmp(f->tries[i].rung, rung))
			return &f->tries[i];
	return NULL;
}

/* A rung that was tried must not pretend. Kernels that need no ftrace for it go on; others refuse
 * to attach; the rest is silent. */
static void judge_silent(const char *rung, const struct vmt_fault_sample *f)
{
	const struct vmt_probe_try *t = find_try(f, rung);
	struct check c;

	check_begin(&c, "F02/canary-silent/%s", rung);
	if (check_that(&c, t, "it was not tried")) {
		if (t->status == VMT_TRY_OK)
			check_that(&c, f->canary == VMT_CANARY_TRUSTED, "%s, and started",
				   vmt_canary_name(f->canary));
		else
			check_that(&c, t->reason[0], "without a reason");
		check_that(&c, t->status != VMT_TRY_SILENT || strstr(t->fix, "ftrace_enabled"),
			   "silent, and no word of ftrace_enabled: '%s'", t->fix);
	}
	check_end(&c, "%s: %s", t ? vmt_try_status_name(t->status) : "not tried",
		  t ? t->reason : "");
}

/* The way down the ladder tries them one after the other, until one is not silent. */
static void silent(void)
{
	struct vmt_fault_sample f = { 0 }, alone = { 0 };
	const struct vmt_probe_try *t;
	struct vmt_err err = { 0 }, unused = { 0 };
	struct vmt_arena arena;
	int r = set_ftrace("0");

	if (r) {
		check_skip("F02/canary-silent", "%s: %s", ftrace, strerror(-r));
		return;
	}
	vmt_arena_init(&arena);
	r = try(VMT_RUNG_NONE, 0, &arena, &f, &err);
	judge_silent("fexit", &f);
	t = find_try(&f, "kprobe");
	/* Below one that works it was not tried. */
	if (t && t->status == VMT_TRY_UNUSED) {
		(void)try(VMT_RUNG_KPROBE, 0, &arena, &alone, &unused);
		judge_silent("kprobe", &alone);
	} else {
		judge_silent("kprobe", &f);
	}
	judge_start("silent-auto", r, &f, &err, NULL);
	vmt_arena_done(&arena);
	set_ftrace("1");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--silent")) {
		silent();
		return 0;
	}
	judge("auto", VMT_RUNG_NONE, argc > 1 ? argv[1] : NULL);
	judge_without();
	for (int i = 2; i < argc; i++)
		judge(argv[i], vmt_rung_of(argv[i]), argv[i]);
	return 0;
}
