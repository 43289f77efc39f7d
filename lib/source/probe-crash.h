/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Crashes as bpf/crash.bpf.h gives them. For probe-events.c alone. */

#include "base/mem.h"
#include "bpf/crash.h"
#include "model/crash.h"
#include "model/fault-raw.h"

/* Finds the path of a row of names, 0 for none; nothing where it is not known. 0 or -ENOMEM. */
typedef int vmt_crash_name_fn(void *arg, uint32_t row, struct vmt_arena *arena,
			      struct vmt_bytes *ret);

/* What a record says; texts are in arena. 0 or -ENOMEM. */
int vmt_probe_crash(const struct vmt_crash_record *r, vmt_crash_name_fn *name, void *arg,
		    struct vmt_arena *arena, struct vmt_crash *ret);

#define VMT_CRASH_HOOK	"tp_btf/signal_generate"
#define VMT_CRASH_GIVES "what SIGSEGV and SIGBUS were about"

/* Why crashes are not told of: of what came of their program. Constant. */
const char *vmt_probe_crash_reason(int error);
/* The same as a row of vmt_events_try(). */
struct vmt_probe_try vmt_probe_crash_try(int error);
