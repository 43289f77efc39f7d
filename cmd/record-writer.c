/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/record-writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <zstd.h>

#include "source/recording.h"

/* Of what is written after each sample, and of the frame that takes its place when it is whole:
 * that has no ends of blocks in between, and there is time, 20 ms of work a minute. More text than
 * this stays as it is. */
#define LEVEL	   9
#define LEVEL_LAST 19
/* Of its tables, which are for texts a hundred times as large otherwise. */
#define HASH_LOG  18
#define CHAIN_LOG 19
#define LAST_MAX  ((size_t)512 << 10)
/* Of the window, which who reads has to have room for. */
#define WINDOW_LOG 20

/* Where a recorder keeps others off, and where it says who it is: the first of these locks is its
 * file's, which has no owner that could be asked for. No recording is so long. */
#define LOCK_AT	 0
#define OWNER_AT (INT64_C(1) << 62)

struct vmt_record_file {
	int fd;
	ZSTD_CCtx *zstd;
	ZSTD_CCtx *last; /* of whole frames; NULL before the first */
	uint64_t size; /* of the file */
	uint64_t frame_at; /* where the frame begins */
	struct vmt_buf text; /* of the frame, as far as it is in the file */
	struct vmt_buf out;
	bool open; /* a frame was begun */
};

static void free_file(struct vmt_record_file *f)
{
	if (!f)
		return;
	ZSTD_freeCCtx(f->zstd);
	ZSTD_freeCCtx(f->last);
	vmt_buf_done(&f->text);
	vmt_buf_done(&f->out);
	vmt_closep(&f->fd);
	free(f);
}

static void free_filep(struct vmt_record_file **f)
{
	free_file(*f);
}

/* Makes frames with a checksum; tables: of the size above. NULL: out of memory. */
static ZSTD_CCtx *new_zstd(int level, bool tables)
{
	const struct {
		ZSTD_cParameter what;
		int value;
	} set[] = {
		{ ZSTD_c_compressionLevel, level },
		{ ZSTD_c_windowLog, WINDOW_LOG },
		{ ZSTD_c_checksumFlag, 1 },
		{ ZSTD_c_hashLog, tables ? HASH_LOG : 0 },
		{ ZSTD_c_chainLog, tables ? CHAIN_LOG : 0 },
	};
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	size_t i;

	for (i = 0; zstd && i < VMT_ARRAY_LEN(set); i++) {
		if (!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, set[i].what, set[i].value)))
			continue;
		ZSTD_freeCCtx(zstd);
		zstd = NULL;
	}
	return zstd;
}

static int write_all(struct vmt_record_file *f, const char *data, size_t n)
{
	while (n) {
		ssize_t w = pwrite(f->fd, data, n, (off_t)f->size);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		f->size += (uint64_t)w;
		data += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Lets zstd have text, and writes what comes out. */
static int compress(struct vmt_record_file *f, struct vmt_bytes text, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { text.ptr, text.len, 0 };
	size_t left;

	vmt_buf_clear(&f->out);
	do {
		size_t room = ZSTD_CStreamOutSize();
		ZSTD_outBuffer to;

		if (vmt_buf_reserve(&f->out, room) < 0)
			return -ENOMEM;
		to = (ZSTD_outBuffer){ f->out.data + f->out.len, room, 0 };
		left = ZSTD_compressStream2(f->zstd, &to, &in, how);
		if (ZSTD_isError(left))
			return -ENOMEM;
		f->out.len += to.pos;
	} while (left || in.pos < in.size);
	return write_all(f, f->out.data, f->out.len);
}

static void cut(struct vmt_record_file *f, uint64_t at)
{
	if (ftruncate(f->fd, (off_t)at) == 0)
		f->size = at;
}

/* Something could not be written: the frame anew, with the lines that were in the file before. They
 * take no more room than they had; where not even that goes, the file ends before them. */
static void repair(struct vmt_record_file *f)
{
	cut(f, f->frame_at);
	ZSTD_CCtx_reset(f->zstd, ZSTD_reset_session_only);
	if (f->text.len &&
	    compress(f, (struct vmt_bytes){ f->text.data, f->text.len }, ZSTD_e_end) < 0)
		cut(f, f->frame_at);
	vmt_buf_clear(&f->text);
	f->open = false;
}

int vmt_record_file_add(struct vmt_record_file *f, struct vmt_bytes lines)
{
	int r;

	if (!f->open) {
		f->frame_at = f->size;
		ZSTD_CCtx_reset(f->zstd, ZSTD_reset_session_only);
		f->open = true;
	}
	r = compress(f, lines, ZSTD_e_flush);
	if (r == 0)
		vmt_buf_add(&f->text, lines.ptr, lines.len);
	if (r == 0)
		r = vmt_buf_error(&f->text);
	if (r < 0)
		repair(f);
	return r;
}

/*
 * Writes the frame that was begun once more, whole, over what there is of it: 1, or 0 where it is
 * no smaller, and nothing was touched. Whoever reads meanwhile, or finds what was left by one who
 * was killed between the two, has the new frame and something behind it that is none; in the middle
 * of the writing, neither of the two frames.
 */
static int pack(struct vmt_record_file *f)
{
	size_t n = ZSTD_compressBound(f->text.len);
	uint64_t end = f->size, packed; /* bytes of the file, before and then */
	ZSTD_outBuffer to;
	ZSTD_inBuffer in;
	int r;

	vmt_buf_clear(&f->out);
	if (!f->text.len || f->text.len > LAST_MAX || vmt_buf_reserve(&f->out, n) < 0)
		return 0;
	if (!f->last)
		f->last = new_zstd(LEVEL_LAST, true);
	if (!f->last)
		return 0;
	to = (ZSTD_outBuffer){ f->out.data, n, 0 };
	in = (ZSTD_inBuffer){ f->text.data, f->text.len, 0 };
	ZSTD_CCtx_reset(f->last, ZSTD_reset_session_only);
	/* In two steps: told all at once, it takes tables for a text of that size, and its memory
	 * grew with the largest one so far. */
	n = ZSTD_compressStream2(f->last, &to, &in, ZSTD_e_continue);
	if (!ZSTD_isError(n))
		n = ZSTD_compressStream2(f->last, &to, &in, ZSTD_e_end);
	if (n || to.pos > end - f->frame_at)
		return 0;
	f->size = f->frame_at;
	r = write_all(f, f->out.data, to.pos);
	if (r < 0)
		return r;
	packed = f->size;
	f->size = end;
	cut(f, packed);
	return f->size == packed ? 1 : -EIO;
}

/* Has it on the disk. A file system that has no such thing has nothing to wait for. */
static int sync_file(const struct vmt_record_file *f)
{
	return fdatasync(f->fd) < 0 && errno != EINVAL ? -errno : 0;
}

int vmt_record_file_finish(struct vmt_record_file *f)
{
	int r;

	if (!f->open)
		return 0;
	r = pack(f);
	if (r == 0)
		r = compress(f, (struct vmt_bytes){ "", 0 }, ZSTD_e_end);
	if (r < 0)
		repair(f);
	else
		r = sync_file(f);
	vmt_buf_clear(&f->text);
	f->open = false;
	return r;
}

size_t vmt_record_file_frame(const struct vmt_record_file *f)
{
	return f->open ? f->text.len : 0;
}

uint64_t vmt_record_file_size(const struct vmt_record_file *f)
{
	return f->size;
}

int vmt_record_file_close(struct vmt_record_file *f)
{
	int r = vmt_record_file_finish(f), e = sync_file(f);

	free_file(f);
	return r < 0 ? r : e;
}

static int lock(int fd, int command, int64_t at, struct flock *ret)
{
	*ret = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
	return fcntl(fd, command, ret) < 0 ? -errno : 0;
}

static int lock_file(int fd, const char *path, struct vmt_err *err)
{
	struct flock l;
	int r = lock(fd, F_OFD_SETLK, LOCK_AT, &l);

	if (r == 0)
		return 0;
	if (r != -EAGAIN && r != -EACCES)
		return vmt_err_set(err, r, path, 0, "cannot be locked: %s", strerror(-r));
	if (lock(fd, F_GETLK, OWNER_AT, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0)
		return vmt_err_set(err, -EBUSY, path, 0, "process %d records there", (int)l.l_pid);
	return vmt_err_set(err, -EBUSY, path, 0, "another process records there");
}

/* What is in a file already. */
static int take_over(struct vmt_record_file *f, const char *path,
		     struct vmt_record_found *ret_found, struct vmt_err *err)
{
	struct vmt_recording_tail old = { 0 };
	int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3), r;

	if (fd < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	r = vmt_recording_tail(fd, path, &old, err);
	if (r < 0)
		return r;
	*ret_found = (struct vmt_record_found){ old.first_ns, old.last_ns, old.remains };
	cut(f, old.end);
	if (f->size != old.end)
		r = -EIO;
	if (r == 0 && old.rest.len)
		r = vmt_record_file_add(f, (struct vmt_bytes){ old.rest.data, old.rest.len });
	if (r == 0)
		r = vmt_record_file_finish(f);
	vmt_buf_done(&old.rest);
	return r < 0 ? vmt_err_set(err, r, path, 0, "%s", strerror(-r)) : 0;
}

/* The file, made where it is not there. Where it is, it has to be ours alone: whoever else can name
 * it could have put it there to be written to. */
static int open_file(const char *path, bool fresh, struct vmt_err *err)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	VMT_AUTO_CLOSE int fd = open(path, flags | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
	bool made = fd >= 0;
	struct stat st;

	if (fd < 0 && errno == EEXIST && !fresh)
		fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return vmt_err_set(err, -errno, path, 0, "%s",
				   errno == ELOOP ? "a symbolic link" : strerror(errno));
	if (fstat(fd, &st) < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EBADMSG, path, 0, "not a regular file");
	if (!made && st.st_uid != geteuid())
		return vmt_err_set(err, -EPERM, path, 0, "belongs to user %ju",
				   (uintmax_t)st.st_uid);
	if (!made && st.st_nlink > 1)
		return vmt_err_set(err, -EPERM, path, 0, "has %ju names", (uintmax_t)st.st_nlink);
	return VMT_STEAL_FD(fd);
}

int vmt_record_file_open(const char *path, bool fresh, struct vmt_record_file **ret,
			 struct vmt_record_found *ret_found, struct vmt_err *err)
{
	VMT_CLEANUP(free_filep) struct vmt_record_file *f = calloc(1, sizeof(*f));
	struct flock l;
	struct stat st;
	int r;

	*ret_found = (struct vmt_record_found){ 0 };
	if (!f)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	f->fd = open_file(path, fresh, err);
	if (f->fd < 0)
		return f->fd;
	r = lock_file(f->fd, path, err);
	if (r < 0)
		return r;
	/* It may have grown before the lock was ours. */
	if (fstat(f->fd, &st) < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	f->size = (uint64_t)st.st_size;
	f->zstd = new_zstd(LEVEL, false);
	if (!f->zstd)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	r = f->size ? take_over(f, path, ret_found, err) : 0;
	if (r < 0)
		return r;
	/* Closing any descriptor of the file takes this one away: it comes last. Where it cannot be
	 * had, the other one stands, and nobody is told whose it is. */
	lock(f->fd, F_SETLK, OWNER_AT, &l);
	*ret = VMT_STEAL(f);
	return 0;
}
