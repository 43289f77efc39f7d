/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pids.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/kv.h"

/* None of the three is ever longer; Groups of status is the longest, with 65536 numbers. */
#define FILE_MAX   ((size_t)1024 * 1024)
#define READ_FIRST ((size_t)8 * 1024)

enum status_id {
	STATUS_UID = 1,
	STATUS_NAME,
	STATUS_STATE,
	STATUS_KTHREAD,
	STATUS_VMSIZE,
	STATUS_NSTGID,
};

#define KIB(member, key) VMT_KV(proc, vmt_proc, member, key, KIB)

/* In the order of fs/proc/array.c proc_pid_status() and task_mmu.c task_mem(). */
static const struct vmt_kv_key status_keys[] = {
	VMT_KV_CALLER("Name", STATUS_NAME),
	VMT_KV_IGNORE("Umask"),
	VMT_KV_CALLER("State", STATUS_STATE),
	VMT_KV_IGNORE("Tgid"),
	VMT_KV_IGNORE("Ngid"),
	VMT_KV_IGNORE("Pid"),
	VMT_KV(proc, vmt_proc, ppid, "PPid", COUNT),
	VMT_KV_IGNORE("TracerPid"),
	VMT_KV_CALLER("Uid", STATUS_UID),
	VMT_KV_IGNORE("Gid"),
	VMT_KV_IGNORE("FDSize"),
	VMT_KV_IGNORE("Groups"),
	VMT_KV_CALLER("NStgid", STATUS_NSTGID),
	VMT_KV_IGNORE("NSpid"),
	VMT_KV_IGNORE("NSpgid"),
	VMT_KV_IGNORE("NSsid"),
	VMT_KV_CALLER("Kthread", STATUS_KTHREAD),
	VMT_KV_IGNORE("VmPeak"),
	VMT_KV_CALLER("VmSize", STATUS_VMSIZE),
	KIB(locked_bytes, "VmLck"),
	VMT_KV_IGNORE("VmPin"),
	KIB(peak_rss_bytes, "VmHWM"),
	KIB(rss_bytes, "VmRSS"),
	KIB(anonymous_bytes, "RssAnon"),
	KIB(file_bytes, "RssFile"),
	KIB(shmem_bytes, "RssShmem"),
	KIB(data_bytes, "VmData"),
	KIB(stack_bytes, "VmStk"),
	VMT_KV_IGNORE("VmExe"),
	VMT_KV_IGNORE("VmLib"),
	KIB(page_table_bytes, "VmPTE"),
	VMT_KV_IGNORE("VmPMD"),
	KIB(swap_bytes, "VmSwap"),
	VMT_KV_IGNORE("HugetlbPages"),
	VMT_KV_IGNORE("CoreDumping"),
	VMT_KV(proc, vmt_proc, thp_enabled, "THP_enabled", BOOL),
	VMT_KV_IGNORE("untag_mask"),
	VMT_KV(proc, vmt_proc, threads, "Threads", COUNT),
	VMT_KV_IGNORE("SigQ"),
	VMT_KV_IGNORE("SigPnd"),
	VMT_KV_IGNORE("ShdPnd"),
	VMT_KV_IGNORE("SigBlk"),
	VMT_KV_IGNORE("SigIgn"),
	VMT_KV_IGNORE("SigCgt"),
	VMT_KV_IGNORE("CapInh"),
	VMT_KV_IGNORE("CapPrm"),
	VMT_KV_IGNORE("CapEff"),
	VMT_KV_IGNORE("CapBnd"),
	VMT_KV_IGNORE("CapAmb"),
	VMT_KV_IGNORE("NoNewPrivs"),
	VMT_KV_IGNORE("Seccomp"),
	VMT_KV_IGNORE("Seccomp_filters"),
	VMT_KV_IGNORE("Speculation_Store_Bypass"),
	VMT_KV_IGNORE("SpeculationIndirectBranch"),
	VMT_KV_IGNORE("Cpus_allowed"),
	VMT_KV_IGNORE("Cpus_allowed_list"),
	VMT_KV_IGNORE("Mems_allowed"),
	VMT_KV_IGNORE("Mems_allowed_list"),
	VMT_KV_IGNORE("voluntary_ctxt_switches"),
	VMT_KV_IGNORE("nonvoluntary_ctxt_switches"),
	VMT_KV_IGNORE("x86_Thread_features"),
	VMT_KV_IGNORE("x86_Thread_features_locked"),
};

static int malformed(struct vmt_err *err, int r, const char *path, unsigned line, const char *what)
{
	return vmt_err_set(err, r, path, line, "%s: %s", what,
			   r == -ERANGE	  ? "the number is too large"
			   : r == -ENOMEM ? "out of memory"
					  : "this is not what the kernel writes");
}

struct vmt_bytes vmt_pid_state(char letter)
{
	/* fs/proc/array.c task_state_array, and what older kernels had */
	static const char letters[] = "RSDTtXZPIxKW";
	const char *at = letter ? strchr(letters, letter) : NULL;

	return at ? (struct vmt_bytes){ at, 1 } : VMT_BYTES("?");
}

int vmt_pid_stat_parse(struct vmt_bytes text, uint64_t user_hz, struct vmt_arena *arena,
		       struct vmt_proc *p, struct vmt_pid_facts *facts, struct vmt_err *err)
{
	/* Numbers of proc(5): state is field 3. */
	enum { STATE = 3, PPID, FLAGS = 9, MINFLT, MAJFLT = 12, THREADS = 20, START = 22 };
	const char *open = text.len ? memchr(text.ptr, '(', text.len) : NULL;
	const char *close = text.len ? memrchr(text.ptr, ')', text.len) : NULL;
	struct vmt_bytes cur, word;
	const char *copy;
	unsigned field;

	if (!open || !close || close < open)
		return malformed(err, -EINVAL, "stat", 1, "name");
	if (arena) {
		size_t n = (size_t)(close - open - 1);

		copy = vmt_arena_copy(arena, open + 1, n);
		if (!copy)
			return malformed(err, -ENOMEM, "stat", 1, "name");
		VMT_SET(proc, comm, p, ((struct vmt_bytes){ copy, n }));
	}
	cur = (struct vmt_bytes){ close + 1, (size_t)(text.ptr + text.len - close - 1) };
	for (field = STATE; field <= START; field++) {
		uint64_t v = 0;
		int64_t sv;
		int r;

		vmt_take_blanks(&cur);
		if (field == STATE) {
			word = vmt_take_word(&cur);
			if (word.len != 1)
				return malformed(err, -EINVAL, "stat", 1, "state");
			VMT_SET(proc, state, p, vmt_pid_state(word.ptr[0]));
			continue;
		}
		/* Some fields between are signed. */
		r = cur.len && cur.ptr[0] == '-' ? vmt_take_i64(&cur, &sv) : vmt_take_u64(&cur, &v);
		if (r < 0)
			return malformed(err, r, "stat", 1, "field");
		switch (field) {
		case PPID:
			VMT_SET(proc, ppid, p, v);
			break;
		case FLAGS:
			facts->flags = v;
			facts->told_kthread = true;
			facts->kthread |= (v & VMT_PF_KTHREAD) != 0;
			break;
		case MINFLT:
			VMT_SET(proc, minor_faults_total, p, v);
			break;
		case MAJFLT:
			VMT_SET(proc, major_faults_total, p, v);
			break;
		case THREADS:
			VMT_SET(proc, threads, p, v);
			break;
		case START: {
			unsigned __int128 ns = (unsigned __int128)v * 1000000000;

			if (!user_hz)
				break;
			ns /= user_hz;
			if (ns > UINT64_MAX)
				return malformed(err, -ERANGE, "stat", 1, "starttime");
			VMT_SET(proc, start_time_ns, p, (uint64_t)ns);
			break;
		}
		default:
			break;
		}
	}
	return 0;
}

int vmt_pid_statm_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_proc *p,
			struct vmt_err *err)
{
	uint64_t size, resident;
	int r;

	r = vmt_take_u64(&text, &size);
	if (r == 0 && vmt_take_blanks(&text) == 0)
		r = -EINVAL;
	if (r == 0)
		r = vmt_take_u64(&text, &resident);
	if (r == 0 && (__builtin_mul_overflow(size, page_size, &size) ||
		       __builtin_mul_overflow(resident, page_size, &resident)))
		r = -ERANGE;
	if (r < 0)
		return malformed(err, r, "statm", 1, "pages");
	VMT_SET(proc, vsize_bytes, p, size);
	VMT_SET(proc, rss_bytes, p, resident);
	return 0;
}

/* status writes a newline of the name as "\n" and a backslash as two; nothing else is changed. */
static int take_name(struct vmt_bytes name, struct vmt_arena *arena, struct vmt_proc *p)
{
	char *copy = vmt_arena_copy(arena, name.ptr, name.len);
	size_t i, n = 0;

	if (!copy)
		return -ENOMEM;
	for (i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (c == '\\' && i + 1 < name.len &&
		    (name.ptr[i + 1] == 'n' || name.ptr[i + 1] == '\\'))
			c = name.ptr[++i] == 'n' ? '\n' : '\\';
		copy[n++] = c;
	}
	copy[n] = 0;
	VMT_SET(proc, comm, p, ((struct vmt_bytes){ copy, n }));
	return 0;
}

/* "NStgid:\t4711\t12\t1": from the namespace of this /proc down to its own (fs/proc/array.c
 * task_state()). */
static int take_nstgid(struct vmt_bytes value, struct vmt_proc *p)
{
	uint64_t pid;
	int r;

	do {
		r = vmt_take_u64(&value, &pid);
		if (r < 0)
			return r;
	} while (vmt_take_blanks(&value) && value.len);
	if (value.len)
		return -EINVAL;
	VMT_SET(proc, ns_pid, p, pid);
	return 0;
}

/* The second of real, effective, saved and file system id. */
static int take_uid(struct vmt_bytes value, struct vmt_proc *p)
{
	uint64_t uid;
	int r;

	r = vmt_take_u64(&value, &uid);
	if (r == 0 && vmt_take_blanks(&value) == 0)
		r = -EINVAL;
	if (r == 0)
		r = vmt_take_u64(&value, &uid);
	if (r == 0)
		VMT_SET(proc, uid, p, uid);
	return r;
}

static int take_status_other(const struct vmt_kv_key *key, struct vmt_bytes value,
			     struct vmt_proc *p, struct vmt_pid_facts *facts)
{
	static const struct vmt_kv_key as_size = VMT_KV(proc, vmt_proc, vsize_bytes, "VmSize", KIB);
	int r;

	switch (key->index) {
	case STATUS_UID:
		return take_uid(value, p);
	case STATUS_NSTGID:
		return take_nstgid(value, p);
	case STATUS_STATE:
		VMT_SET(proc, state, p, vmt_pid_state(value.len ? value.ptr[0] : 0));
		return value.len ? 0 : -EINVAL;
	case STATUS_KTHREAD:
		facts->told_kthread = true;
		facts->kthread |= vmt_bytes_is(value, "1");
		return 0;
	case STATUS_VMSIZE:
		r = vmt_kv_store(&as_size, value, &p->row);
		facts->has_mm = r == 0;
		facts->vsize_bytes = p->vsize_bytes;
		return r;
	default:
		return 0;
	}
}

int vmt_pid_status_parse(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_proc *p,
			 struct vmt_pid_facts *facts, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { status_keys, VMT_ARRAY_LEN(status_keys) };
	struct vmt_bytes line, key, value;
	unsigned lineno = 0;
	uint64_t estimate;
	size_t hint = 0;

	facts->has_status = true;
	while (vmt_take_line(&text, &line)) {
		const struct vmt_kv_key *k;
		int r;

		lineno++;
		if (line.len == 0)
			continue;
		if (vmt_kv_expected(&table, line, &hint, &p->row))
			continue;
		r = vmt_kv_split(line, ':', &key, &value);
		if (r < 0)
			return malformed(err, r, "status", lineno, "key");
		k = vmt_kv_find(&table, key, &hint);
		if (!k) {
			facts->unknown_keys++;
			continue;
		}
		if (k->form == VMT_KV_OTHER && k->index == STATUS_NAME) {
			/* Blanks around a name are part of it, but for the one tab. */
			value.ptr = line.ptr + 5;
			value.len = line.len - 5;
			vmt_take_char(&value, '\t');
			r = arena ? take_name(value, arena, p) : 0;
		} else if (k->form == VMT_KV_OTHER) {
			r = take_status_other(k, value, p, facts);
		} else {
			r = vmt_kv_store(k, value, &p->row);
		}
		if (r < 0)
			return malformed(err, r, "status", lineno, k->name);
	}
	/* Private writable mappings are counted as the one or the other: mm/mmap.c
	 * vm_stat_account(). */
	if (VMT_HAS(proc, data_bytes, p) && VMT_HAS(proc, stack_bytes, p) &&
	    !__builtin_add_overflow(p->data_bytes, p->stack_bytes, &estimate))
		VMT_SET(proc, commit_estimate_bytes, p, estimate);
	return 0;
}

/* Whether list, up to end, has the word "memory" between commas. */
static bool has_memory_controller(const char *list, const char *end)
{
	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma ? comma : end;

		if (vmt_bytes_is((struct vmt_bytes){ list, (size_t)(stop - list) }, "memory"))
			return true;
		list = stop + 1;
	}
	return false;
}

int vmt_pid_cgroup_parse(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_proc *p)
{
	struct vmt_bytes line, best = { 0 };
	bool memory = false;

	/* "ID:CONTROLLERS:PATH"; version 2 has no controllers there. */
	while (!memory && vmt_take_line(&text, &line)) {
		const char *end = line.ptr + line.len;
		const char *list = memchr(line.ptr, ':', line.len), *path;

		if (!list)
			continue;
		list++;
		path = memchr(list, ':', (size_t)(end - list));
		if (!path)
			continue;
		memory = has_memory_controller(list, path);
		if (memory || path == list)
			best = (struct vmt_bytes){ path + 1, (size_t)(end - path - 1) };
	}
	if (!best.ptr)
		return 0;
	best.ptr = vmt_arena_copy(arena, best.ptr, best.len);
	if (!best.ptr)
		return -ENOMEM;
	VMT_SET(proc, cgroup, p, best);
	return 0;
}

bool vmt_pid_is_headless(const struct vmt_proc *p)
{
	return VMT_HAS(proc, state, p) && vmt_bytes_is(p->state, "Z") &&
	       VMT_HAS(proc, threads, p) && p->threads > 1;
}

void vmt_pid_settle(struct vmt_proc *p, const struct vmt_pid_facts *facts)
{
	bool zombie = VMT_HAS(proc, state, p) &&
		      (vmt_bytes_is(p->state, "Z") || vmt_bytes_is(p->state, "X"));

	if (facts->kthread)
		VMT_SET(proc, class, p, VMT_BYTES("kernel"));
	else if (zombie && !vmt_pid_is_headless(p))
		VMT_SET(proc, class, p, VMT_BYTES("zombie"));
	else if (VMT_HAS(proc, state, p))
		VMT_SET(proc, class, p, VMT_BYTES("user"));
	/* statm prints zeros where there is no address space. It can also have been read a moment
	 * after the end of one that status still saw. */
	if ((facts->has_status && !facts->has_mm) ||
	    (VMT_HAS(proc, vsize_bytes, p) && p->vsize_bytes == 0 &&
	     !(facts->has_mm && facts->vsize_bytes == 0))) {
		VMT_UNSET(proc, vsize_bytes, p);
		VMT_UNSET(proc, rss_bytes, p);
	}
}

static int64_t read_fd(int fd, struct vmt_buf *buf)
{
	int64_t rest;
	ssize_t n;
	int r;

	vmt_buf_clear(buf);
	r = vmt_buf_reserve(buf, READ_FIRST);
	if (r < 0)
		return r;
	do
		n = pread(fd, buf->data, READ_FIRST, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf->len = (size_t)n;
	buf->data[n] = 0;
	/* All there is, unless something cut it short within a line. */
	if ((size_t)n < READ_FIRST && (n == 0 || buf->data[n - 1] == '\n'))
		return n;
	if (lseek(fd, n, SEEK_SET) < 0)
		return -errno;
	rest = vmt_slurp_fd(fd, buf, FILE_MAX - (size_t)n);
	return rest < 0 ? rest : n + rest;
}

static int64_t read_whole(int dir_fd, const char *path, struct vmt_buf *buf)
{
	VMT_AUTO_CLOSE int fd = vmt_open_at(dir_fd, path);

	return fd < 0 ? fd : read_fd(fd, buf);
}

static int64_t read_kept(int dir_fd, const char *path, int *keep, struct vmt_buf *buf)
{
	if (*keep < 0) {
		int fd = vmt_open_at(dir_fd, path);

		if (fd < 0)
			return fd;
		*keep = fd;
	}
	return read_fd(*keep, buf);
}

static struct vmt_pid_cost *cost_of(struct vmt_pid_facts *facts, enum vmt_source_id source)
{
	switch (source) {
	case VMT_SOURCE_STATUS:
		return &facts->status;
	case VMT_SOURCE_STAT:
		return &facts->stat;
	case VMT_SOURCE_STATM:
		return &facts->statm;
	default:
		return &facts->cgroup;
	}
}

int vmt_pid_read_file(const struct vmt_root *root, int dir_fd, const char *path, int *keep,
		      enum vmt_source_id source, struct vmt_buf *buf, struct vmt_arena *arena,
		      struct vmt_proc *p, struct vmt_pid_facts *facts, struct vmt_err *err)
{
	struct vmt_pid_cost *cost = cost_of(facts, source);
	int64_t n = keep ? read_kept(dir_fd, path, keep, buf) : read_whole(dir_fd, path, buf);
	struct vmt_bytes text;

	if (source == VMT_SOURCE_CGROUP && (n == -ENOENT || n == 0)) {
		/* That the process has ended, another file says. */
		facts->no_cgroup = n < 0;
		return 0;
	}
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	cost->bytes += (uint64_t)n;
	cost->reads++;
	/* A process that ended between open and read leaves an empty file on some kernels. */
	if (n == 0)
		return -ESRCH;
	text = (struct vmt_bytes){ buf->data, buf->len };
	switch (source) {
	case VMT_SOURCE_STATUS:
		return vmt_pid_status_parse(text, arena, p, facts, err);
	case VMT_SOURCE_STAT:
		return vmt_pid_stat_parse(text, root->user_hz, arena, p, facts, err);
	case VMT_SOURCE_STATM:
		return vmt_pid_statm_parse(text, root->page_size, p, err);
	case VMT_SOURCE_CGROUP:
		return vmt_pid_cgroup_parse(text, arena, p);
	default:
		return -EINVAL;
	}
}

/* Opens the directory of a thread; -ESRCH where it has no memory, or has ended. */
static int open_task(int dir_fd, const char *name)
{
	VMT_AUTO_CLOSE int task = vmt_open_dir_at(dir_fd, name);
	struct vmt_pid_facts facts = { 0 };
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_proc p = { 0 };
	int64_t n;
	int r;

	if (task < 0)
		return task == -ENOENT ? -ESRCH : task;
	n = read_whole(task, "status", &buf);
	if (n <= 0)
		return n == 0 || n == -ENOENT ? -ESRCH : (int)n;
	r = vmt_pid_status_parse((struct vmt_bytes){ buf.data, buf.len }, NULL, &p, &facts, NULL);
	if (r < 0)
		return r;
	return facts.has_mm ? VMT_STEAL_FD(task) : -ESRCH;
}

int vmt_pid_open_live_task(int pid_fd, uint64_t pid)
{
	DIR *dir;
	struct dirent *e;
	int fd = vmt_open_dir_at(pid_fd, "task"), ret = -ESRCH;

	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;
	dir = fdopendir(fd);
	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		uint64_t tid;
		int r;

		if (vmt_parse_pid(e->d_name, &tid) < 0 || tid == pid)
			continue;
		r = open_task(dirfd(dir), e->d_name);
		/* One that could not be read may have been the one; another one says the same. */
		if (r != -ESRCH)
			ret = r;
		if (r >= 0)
			break;
	}
	/* A process that has ended meanwhile has no threads to list. */
	if (!e && errno)
		ret = errno == ENOENT ? -ESRCH : -errno;
	closedir(dir);
	return ret;
}

int vmt_pid_read_headless(const struct vmt_root *root, int pid_fd, struct vmt_proc *p,
			  struct vmt_pid_facts *facts, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int task = vmt_pid_open_live_task(pid_fd, p->pid);
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_proc thread = { 0 };
	int r;

	if (task < 0)
		return task;
	r = vmt_pid_read_file(root, task, "status", NULL, VMT_SOURCE_STATUS, &buf, NULL, &thread,
			      facts, err);
	if (r < 0)
		return r;
	/* Who it is and how it is stays what its first thread says. */
	VMT_COPY(proc, vsize_bytes, p, &thread);
	VMT_COPY(proc, rss_bytes, p, &thread);
	VMT_COPY(proc, anonymous_bytes, p, &thread);
	VMT_COPY(proc, file_bytes, p, &thread);
	VMT_COPY(proc, shmem_bytes, p, &thread);
	VMT_COPY(proc, swap_bytes, p, &thread);
	VMT_COPY(proc, peak_rss_bytes, p, &thread);
	VMT_COPY(proc, locked_bytes, p, &thread);
	VMT_COPY(proc, page_table_bytes, p, &thread);
	VMT_COPY(proc, data_bytes, p, &thread);
	VMT_COPY(proc, stack_bytes, p, &thread);
	VMT_COPY(proc, commit_estimate_bytes, p, &thread);
	VMT_COPY(proc, thp_enabled, p, &thread);
	return 0;
}

int vmt_pid_read(const struct vmt_root *root, uint64_t pid, uint64_t sources,
		 struct vmt_arena *arena, struct vmt_proc *p, struct vmt_pid_facts *facts,
		 struct vmt_err *err)
{
	static const enum vmt_source_id order[] = { VMT_SOURCE_STAT, VMT_SOURCE_STATM,
						    VMT_SOURCE_CGROUP, VMT_SOURCE_STATUS };
	VMT_AUTO_CLOSE int fd = vmt_root_open_pid(root, pid);
	VMT_AUTO_BUF buf = { 0 };
	size_t i;
	int r;

	if (fd < 0)
		return fd;
	VMT_SET(proc, pid, p, pid);
	for (i = 0; i < VMT_ARRAY_LEN(order); i++) {
		if (!(sources >> order[i] & 1))
			continue;
		r = vmt_pid_read_file(
			root, fd, vmt_source_name(order[i]), NULL, order[i], &buf,
			VMT_HAS(proc, comm, p) && order[i] != VMT_SOURCE_CGROUP ? NULL : arena, p,
			facts, err);
		if (r < 0)
			return r;
	}
	if (vmt_pid_is_headless(p) && sources & (VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STATM))) {
		/* Without a thread that answers it stays a process of unknown size. */
		r = vmt_pid_read_headless(root, fd, p, facts, err);
		if (r == -ENOMEM)
			return r;
		facts->headless = r;
	}
	vmt_pid_settle(p, facts);
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int vmt_pids_list(const struct vmt_root *root, uint64_t **ret, size_t *ret_n, struct vmt_err *err)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *dir;
	int fd, r = 0;

	/* A descriptor of its own: a directory has one position. */
	fd = vmt_open_dir_at(root->fd, "proc");
	if (fd < 0)
		return vmt_err_set(err, fd, "/proc", 0, "cannot open it");
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return vmt_err_set(err, r, "/proc", 0, "cannot list it");
	}
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		uint64_t pid;

		/* A number as the kernel writes it: "007" in a recording is no process 7. */
		if (e->d_name[0] == '0' || vmt_parse_pid(e->d_name, &pid) < 0)
			continue;
		r = vmt_grow(&pids, &cap, n + 1, sizeof(*pids));
		if (r < 0)
			break;
		pids[n++] = pid;
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(dir);
	if (r < 0)
		return vmt_err_set(err, r, "/proc", 0, "cannot list it");
	if (n)
		qsort(pids, n, sizeof(*pids), compare_u64);
	*ret = VMT_STEAL(pids);
	*ret_n = n;
	return 0;
}
