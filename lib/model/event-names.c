/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "model/events.h"

struct name {
	uint64_t bit; /* or value */
	const char *name;
};

#define TABLE(t) t, VMT_ARRAY_LEN(t)

/* include/uapi/asm-generic/mman-common.h, mman.h, linux/mman.h; MAP_32BIT is x86's. */
static const struct name prots[] = {
	{ 0x1, "read" },
	{ 0x2, "write" },
	{ 0x4, "exec" },
	{ 0x8, "sem" },
	{ 0x01000000, "growsdown" },
	{ 0x02000000, "growsup" },
};

static const struct name map_types[] = {
	{ 1, "shared" },
	{ 2, "private" },
	{ 3, "shared_validate" },
	{ 8, "droppable" },
};

static const struct name map_flags[] = {
	{ 0x10, "fixed" },
	{ 0x20, "anonymous" },
	{ 0x40, "32bit" },
	{ 0x100, "growsdown" },
	{ 0x800, "denywrite" },
	{ 0x1000, "executable" },
	{ 0x2000, "locked" },
	{ 0x4000, "noreserve" },
	{ 0x8000, "populate" },
	{ 0x10000, "nonblock" },
	{ 0x20000, "stack" },
	{ 0x40000, "hugetlb" },
	{ 0x80000, "sync" },
	{ 0x100000, "fixed_noreplace" },
	{ 0x4000000, "uninitialized" },
};

static const struct name remap_flags[] = { { 1, "maymove" }, { 2, "fixed" }, { 4, "dontunmap" } };
static const struct name msync_flags[] = { { 1, "async" }, { 2, "invalidate" }, { 4, "sync" } };
static const struct name mlock_flags[] = { { 1, "onfault" } };
static const struct name lockall_flags[] = { { 1, "current" }, { 2, "future" }, { 4, "onfault" } };

/* include/uapi/linux/memfd.h; MFD_NOEXEC_SEAL and MFD_EXEC since 6.3. */
static const struct name memfd_flags[] = {
	{ 1, "cloexec" },     { 2, "allow_sealing" }, { 4, "hugetlb" },
	{ 8, "noexec_seal" }, { 0x10, "exec" },
};

/* include/uapi/linux/shm.h */
static const struct name shm_flags[] = {
	{ 010000, "rdonly" },
	{ 020000, "rnd" },
	{ 040000, "remap" },
	{ 0100000, "exec" },
};

/* include/uapi/linux/sched.h; the lowest byte is a signal. */
static const struct name clone_flags[] = {
	{ 0x100, "vm" },
	{ 0x200, "fs" },
	{ 0x400, "files" },
	{ 0x800, "sighand" },
	{ 0x1000, "pidfd" },
	{ 0x2000, "ptrace" },
	{ 0x4000, "vfork" },
	{ 0x8000, "parent" },
	{ 0x10000, "thread" },
	{ 0x20000, "newns" },
	{ 0x40000, "sysvsem" },
	{ 0x80000, "settls" },
	{ 0x100000, "parent_settid" },
	{ 0x200000, "child_cleartid" },
	{ 0x400000, "detached" },
	{ 0x800000, "untraced" },
	{ 0x1000000, "child_settid" },
	{ 0x2000000, "newcgroup" },
	{ 0x4000000, "newuts" },
	{ 0x8000000, "newipc" },
	{ 0x10000000, "newuser" },
	{ 0x20000000, "newpid" },
	{ 0x40000000, "newnet" },
	{ 0x80000000, "io" },
	{ 0x100000000, "clear_sighand" },
	{ 0x200000000, "into_cgroup" },
};

/* include/uapi/linux/fcntl.h */
static const struct name execveat_flags[] = { { 0x100, "nofollow" }, { 0x1000, "empty_path" } };

/* include/uapi/asm-generic/mman-common.h; up to MADV_COLLAPSE of 6.1, MADV_GUARD_* of 6.13. */
static const struct name advices[] = {
	{ 0, "normal" },	   { 1, "random" },	     { 2, "sequential" },
	{ 3, "willneed" },	   { 4, "dontneed" },	     { 8, "free" },
	{ 9, "remove" },	   { 10, "dontfork" },	     { 11, "dofork" },
	{ 12, "mergeable" },	   { 13, "unmergeable" },    { 14, "hugepage" },
	{ 15, "nohugepage" },	   { 16, "dontdump" },	     { 17, "dodump" },
	{ 18, "wipeonfork" },	   { 19, "keeponfork" },     { 20, "cold" },
	{ 21, "pageout" },	   { 22, "populate_read" },  { 23, "populate_write" },
	{ 24, "dontneed_locked" }, { 25, "collapse" },	     { 100, "hwpoison" },
	{ 101, "soft_offline" },   { 102, "guard_install" }, { 103, "guard_remove" },
};

static const struct {
	const char *name;
	enum vmt_event_kind kind;
} calls[] = {
	{ NULL, VMT_EVENT_KIND_MAP },
#define C(id, name, kind) { name, VMT_EVENT_KIND_##kind },
#include "model/event-call.def"
#undef C
};

const char *vmt_event_name(enum vmt_event_call call)
{
	return (unsigned)call < VMT_ARRAY_LEN(calls) ? calls[call].name : NULL;
}

enum vmt_event_kind vmt_event_kind_of(enum vmt_event_call call)
{
	return (unsigned)call < VMT_ARRAY_LEN(calls) ? calls[call].kind : VMT_EVENT_KIND_MAP;
}

const char *vmt_event_kind_name(enum vmt_event_kind kind)
{
	static const char *const names[] = {
		[VMT_EVENT_KIND_MAP] = "map",	  [VMT_EVENT_KIND_PROCESS] = "process",
		[VMT_EVENT_KIND_CRASH] = "crash", [VMT_EVENT_KIND_PRESSURE] = "pressure",
		[VMT_EVENT_KIND_OOM] = "oom",	  [VMT_EVENT_KIND_HUGE] = "huge",
	};

	return names[kind];
}

static uint32_t calls_of(struct vmt_bytes word)
{
	uint32_t ret = 0;

	for (unsigned i = 1; i < VMT_ARRAY_LEN(calls); i++)
		if (vmt_bytes_is(word, calls[i].name) ||
		    vmt_bytes_is(word, vmt_event_kind_name(calls[i].kind)))
			ret |= UINT32_C(1) << i;
	return ret;
}

int vmt_event_only_parse(const char *list, uint32_t *ret_calls, struct vmt_bytes *ret_word)
{
	uint32_t all = 0;

	for (;;) {
		const char *end = strchrnul(list, ',');
		const struct vmt_bytes word = { list, (size_t)(end - list) };
		uint32_t some = calls_of(word);

		if (!some) {
			*ret_word = word;
			return -EINVAL;
		}
		all |= some;
		if (!*end)
			break;
		list = end + 1;
	}
	*ret_calls = all;
	return 0;
}

static void plus(struct vmt_buf *out, size_t from)
{
	if (out->len > from)
		vmt_buf_addc(out, '+');
}

/* Bits by name, each behind a + but the first one behind from. */
static void bits(struct vmt_buf *out, size_t from, uint64_t value, const struct name *names,
		 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!(value & names[i].bit))
			continue;
		plus(out, from);
		vmt_buf_adds(out, names[i].name);
		value &= ~names[i].bit;
	}
	if (value || out->len == from) {
		plus(out, from);
		vmt_buf_addf(out, value ? "0x%" PRIx64 : "0", value);
	}
}

static const char *value_name(uint64_t value, const struct name *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].bit == value)
			return names[i].name;
	return NULL;
}

void vmt_event_prot(struct vmt_buf *out, uint64_t prot)
{
	if (prot)
		bits(out, out->len, prot, TABLE(prots));
	else
		vmt_buf_adds(out, "none");
}

/* The kernel takes the lowest bits as the sort of mapping, and the highest six as the size of huge
 * pages, where it is one of these. */
static void mmap_flags(struct vmt_buf *out, uint64_t flags)
{
	size_t from = out->len;
	const char *type = value_name(flags & 0xf, TABLE(map_types));
	uint64_t rest = flags & ~UINT64_C(0xf), shift = 0;

	if (type)
		vmt_buf_adds(out, type);
	else
		rest = flags;
	if (flags & 0x40000) {
		shift = flags >> 26 & 0x3f;
		rest &= ~(UINT64_C(0x3f) << 26);
	}
	if (rest || !type)
		bits(out, from, rest, TABLE(map_flags));
	if (shift)
		vmt_buf_addf(out, "+2^%" PRIu64, shift);
}

void vmt_event_flags(struct vmt_buf *out, enum vmt_event_call call, uint64_t flags)
{
	size_t from = out->len;

	switch (call) {
	case VMT_CALL_MMAP:
		mmap_flags(out, flags);
		break;
	case VMT_CALL_MREMAP:
		bits(out, from, flags, TABLE(remap_flags));
		break;
	case VMT_CALL_MSYNC:
		bits(out, from, flags, TABLE(msync_flags));
		break;
	case VMT_CALL_MLOCK2:
		bits(out, from, flags, TABLE(mlock_flags));
		break;
	case VMT_CALL_MLOCKALL:
		bits(out, from, flags, TABLE(lockall_flags));
		break;
	case VMT_CALL_MEMFD_CREATE:
		bits(out, from, flags, TABLE(memfd_flags));
		break;
	case VMT_CALL_SHMAT:
		bits(out, from, flags, TABLE(shm_flags));
		break;
	case VMT_CALL_CLONE:
	case VMT_CALL_CLONE3:
		bits(out, from, flags & ~UINT64_C(0xff), TABLE(clone_flags));
		break;
	case VMT_CALL_EXECVEAT:
		bits(out, from, flags, TABLE(execveat_flags));
		break;
	case VMT_CALL_REMAP_FILE_PAGES:
		mmap_flags(out, flags);
		break;
	case VMT_CALL_NONE:
	case VMT_CALL_MUNMAP:
	case VMT_CALL_MPROTECT:
	case VMT_CALL_PKEY_MPROTECT:
	case VMT_CALL_BRK:
	case VMT_CALL_MADVISE:
	case VMT_CALL_PROCESS_MADVISE:
	case VMT_CALL_MLOCK:
	case VMT_CALL_MUNLOCK:
	case VMT_CALL_MUNLOCKALL:
	case VMT_CALL_SHMDT:
	case VMT_CALL_MSEAL:
	case VMT_CALL_FORK:
	case VMT_CALL_VFORK:
	case VMT_CALL_EXECVE:
	case VMT_CALL_EXIT:
	case VMT_CALL_CRASH:
	case VMT_CALL_STALL:
	case VMT_CALL_OOM:
	case VMT_CALL_COLLAPSE:
	case VMT_CALLS:
		break;
	}
}

void vmt_event_advice(struct vmt_buf *out, uint64_t advice)
{
	const char *name = value_name(advice, TABLE(advices));

	if (name)
		vmt_buf_adds(out, name);
	else
		vmt_buf_addf(out, "%" PRIu64, advice);
}
