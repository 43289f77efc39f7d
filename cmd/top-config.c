/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-config.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "cmd/config-line.h"
#include "cmd/top-config-edit.h"
#include "cmd/whole-file.h"
#include "vmtop-config.h"

#define SYSTEM_PATH "/etc/vmtop/vmtop.conf"

/* Nobody writes a longer one by hand. */
#define BYTES_MAX 65536

static int no_memory(struct vmt_err *err)
{
	return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
}

int vmt_config_path(char **ret, struct vmt_err *err)
{
	/* In secure mode none of them is there, and the file is that of the system alone. */
	const char *own = secure_getenv("VMTOP_CONFIG"), *xdg = secure_getenv("XDG_CONFIG_HOME");
	const char *home = secure_getenv("HOME");
	int n;

	*ret = NULL;
	if (own && *own) {
		/* The folder that one happens to be in is nobody's word. */
		if (*own != '/')
			return vmt_err_set(err, -EINVAL, NULL, 0,
					   "VMTOP_CONFIG is no absolute path");
		n = asprintf(ret, "%s", own);
	} else if (xdg && *xdg == '/') {
		/* A path that is not absolute is to be ignored (XDG Base Directory Specification).
		 */
		n = asprintf(ret, "%s/vmtop/vmtop.conf", xdg);
	} else if (home && *home == '/') {
		n = asprintf(ret, "%s/.config/vmtop/vmtop.conf", home);
	} else {
		return 0;
	}
	if (n < 0) {
		*ret = NULL;
		return no_memory(err);
	}
	return 0;
}

static bool is_privileged(void)
{
	return geteuid() == 0 || getauxval(AT_SECURE);
}

/* Whether nobody but root can have put what is at an absolute path without links there. */
static int check_trust(const char *path, struct vmt_err *err)
{
	VMT_AUTO_FREE char *part = strdup(path);
	size_t end = 0;
	struct stat st;

	if (!part)
		return no_memory(err);
	for (;;) {
		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
		memcpy(part, path, end);
		part[end] = 0;
		if (lstat(end ? part : "/", &st) < 0)
			return vmt_err_set(err, -errno, path, 0, "%s", vmt_errno_name(-errno));
		if (st.st_uid != 0)
			return vmt_err_set(err, -EPERM, path, 0,
					   "not read by a privileged run: %s is not root's", part);
		/* In a folder like /tmp nobody else can take away what is root's. */
		if (st.st_mode & (S_IWGRP | S_IWOTH) &&
		    !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX))
			return vmt_err_set(err, -EPERM, path, 0,
					   "not read by a privileged run: others may write to %s",
					   part);
		if (!path[end])
			return 0;
	}
}

/* A whole file. 0, -ENOENT where there is none, or a negative errno with the reason in err. */
static int read_file(const char *path, struct vmt_buf *ret, mode_t *ret_mode, struct vmt_err *err)
{
	VMT_AUTO_FREE char *real = realpath(path, NULL);
	struct vmt_err why = { 0 };
	int r;

	if (!real)
		return vmt_err_set(err, -errno, path, 0, "%s", vmt_errno_name(-errno));
	if (is_privileged()) {
		r = check_trust(real, err);
		if (r < 0)
			return r;
	}
	r = vmt_whole_file(real, O_NOFOLLOW, BYTES_MAX, ret, ret_mode, &why);
	/* With the name that it was called by. */
	return r < 0 ? vmt_err_set(err, r, path, 0, "%s", why.text) : 0;
}

#ifdef VMT_HAVE_INIH
#include <ini.h>

/* A file of noise has no end of things that are wrong with it. */
#define COMPLAINTS_MAX 10

struct file {
	const char *path;
	struct vmt_config_lines lines;
	unsigned line; /* that is being read */
	bool goes_on; /* it is more of the value before */
	struct vmt_buf value; /* of all its lines */
	struct vmt_buf seen; /* settings that were set, with lines between */
	struct vmt_ui_settings *settings;
	void (*complain)(void *arg, const struct vmt_err *err);
	void *arg;
	int complaints;
};

static void complain(struct file *f, unsigned line, const char *text)
{
	struct vmt_err err = { 0 };

	if (++f->complaints > COMPLAINTS_MAX)
		return;
	vmt_err_set(&err, -EINVAL, f->path, line, "%s",
		    f->complaints == COMPLAINTS_MAX ? "and so on: the rest is not listed" : text);
	f->complain(f->arg, &err);
}

/* As fgets(), for inih: a line, which is empty where it says nothing. */
static char *next_line(char *to, int size, void *arg)
{
	struct file *f = arg;
	struct vmt_config_line line;
	struct vmt_bytes text;

	if (!vmt_config_take_line(&f->lines, &line))
		return NULL;
	f->line++;
	f->goes_on = line.kind == VMT_CONFIG_MORE;
	if (line.wrong)
		complain(f, f->line, line.wrong);
	text = f->goes_on ? line.value : line.text;
	if (line.kind == VMT_CONFIG_NOTHING || line.wrong)
		text.len = 0;
	snprintf(to, (size_t)size, "%s%.*s\n", f->goes_on ? " " : "", (int)text.len, text.ptr);
	return to;
}

/* Whether that setting had a line before; it has from now on. */
static bool set_before(struct file *f, const char *section, const char *name)
{
	char key[128];

	snprintf(key, sizeof(key), "\n%s.%s\n", section, name);
	if (f->seen.data && strstr(f->seen.data, key))
		return true;
	vmt_buf_adds(&f->seen, key);
	return false;
}

static int take_setting(void *arg, const char *section, const char *name, const char *value)
{
	struct file *f = arg;
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF text = { 0 };
	int r;

	if (!f->goes_on)
		vmt_buf_clear(&f->value);
	vmt_buf_adds(&f->value, value);
	if (vmt_buf_error(&f->value) < 0)
		return 0;
	r = vmt_settings_set(f->settings, section, name, f->value.data, &err);
	if (r == 0 && !f->goes_on && set_before(f, section, name))
		vmt_err_set(&err, -EINVAL, NULL, 0, "it is set twice; this is what counts");
	if (!err.code)
		return 1;
	if (*section)
		vmt_buf_addf(&text, "[%s] ", section);
	vmt_buf_addf(&text, "%s: %s", name, err.text);
	if (vmt_buf_error(&text) == 0)
		complain(f, f->line, text.data);
	/* inih would keep the first line that it did not like, and call it its own error. */
	return 1;
}

static int load(const char *path, struct vmt_ui_settings *settings,
		void (*fn)(void *arg, const struct vmt_err *err), void *arg)
{
	VMT_AUTO_BUF text = { 0 };
	struct file f = { .path = path, .settings = settings, .complain = fn, .arg = arg };
	struct vmt_err err = { 0 };
	mode_t mode;
	int r;

	/* As is usual to say that there is to be none. */
	if (strcmp(path, "/dev/null") == 0)
		return 0;
	r = read_file(path, &text, &mode, &err);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		fn(arg, &err);
		return r == -ENOMEM ? r : 1;
	}
	f.lines.rest = (struct vmt_bytes){ text.data, text.len };
	r = ini_parse_stream(next_line, &f, take_setting, &f);
	vmt_buf_done(&f.value);
	vmt_buf_done(&f.seen);
	return r < 0 ? -ENOMEM : f.complaints;
}

int vmt_config_load(struct vmt_ui_settings *settings,
		    void (*complain_to)(void *arg, const struct vmt_err *err), void *arg)
{
	VMT_AUTO_FREE char *own = NULL;
	struct vmt_err err = { 0 };
	int n = load(SYSTEM_PATH, settings, complain_to, arg), r;

	if (n < 0)
		return n;
	r = vmt_config_path(&own, &err);
	if (r < 0)
		complain_to(arg, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return n + 1;
	r = own ? load(own, settings, complain_to, arg) : 0;
	return r < 0 ? r : n + r;
}
#else
int vmt_config_load(struct vmt_ui_settings *settings,
		    void (*complain_to)(void *arg, const struct vmt_err *err), void *arg)
{
	return 0;
}
#endif

struct edit {
	struct vmt_buf *text;
	const struct vmt_ui_settings *before;
	int error;
};

/* A setting, and whether others have it the same. */
struct setting {
	const char *section, *name, *value;
	bool same;
};

static void compare(void *arg, const char *section, const char *name, const char *value)
{
	struct setting *s = arg;

	if (strcmp(section, s->section) == 0 && strcmp(name, s->name) == 0)
		s->same = value && s->value ? strcmp(value, s->value) == 0 : value == s->value;
}

static void edit(void *arg, const char *section, const char *name, const char *value)
{
	struct edit *e = arg;
	struct setting s = { section, name, value, false };

	if (e->before)
		vmt_settings_each(e->before, compare, &s);
	if (e->error == 0 && !s.same)
		e->error = vmt_config_edit(e->text, section, name, value);
}

/* The folder of a file, and those above it, which are made where they are missing. */
static int make_folders(const char *path, char **ret, struct vmt_err *err)
{
	VMT_AUTO_FREE char *folder = strndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	VMT_AUTO_FREE char *real = NULL;
	bool privileged = is_privileged();
	char *p;
	int r;

	if (!folder)
		return no_memory(err);
	for (p = folder + 1; *p; p++) {
		struct stat st;

		if (*p != '/')
			continue;
		*p = 0;
		if (stat(folder, &st) < 0 && errno == ENOENT) {
			VMT_AUTO_FREE char *above = strdup(folder), *there = NULL;

			if (!above)
				return no_memory(err);
			above[strrchr(above, '/') - above + 1] = 0;
			there = realpath(above, NULL);
			r = there && privileged ? check_trust(there, err) : 0;
			if (r < 0)
				return r;
			if (mkdir(folder, 0700) < 0)
				return vmt_err_set(err, -errno, folder, 0, "%s",
						   vmt_errno_name(-errno));
		}
		*p = '/';
	}
	real = realpath(folder, NULL);
	if (!real)
		return vmt_err_set(err, -errno, folder, 0, "%s", vmt_errno_name(-errno));
	r = privileged ? check_trust(real, err) : 0;
	if (r == 0)
		*ret = VMT_STEAL(real);
	return r;
}

/* Puts text in the place of a file, as a whole. */
static int replace(const char *folder, const char *name, mode_t mode, const struct vmt_buf *text,
		   struct vmt_err *err)
{
	VMT_AUTO_FREE char *temp = NULL, *path = NULL;
	VMT_AUTO_CLOSE int fd = -1, dir = -1;
	size_t done = 0;
	ssize_t n;
	int r = 0;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return no_memory(err);
	}
	if (asprintf(&temp, "%s/.%s.XXXXXX", folder, name) < 0) {
		temp = NULL;
		return no_memory(err);
	}
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", vmt_errno_name(-errno));
	while (r == 0 && done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r = n == 0 ? -ENOSPC : -errno;
	}
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temp, path) < 0))
		r = -errno;
	if (r < 0) {
		unlink(temp);
		return vmt_err_set(err, r, path, 0, "%s", vmt_errno_name(r));
	}
	/* That the name is the new file's is to survive a crash too; it is there in any case. */
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		fsync(dir);
	return 0;
}

int vmt_config_save(const struct vmt_ui_settings *settings, const struct vmt_ui_settings *before,
		    char **ret_path, struct vmt_err *err)
{
	VMT_AUTO_FREE char *path = NULL, *folder = NULL;
	VMT_AUTO_BUF text = { 0 };
	struct edit e = { .text = &text, .before = before };
	mode_t mode = 0644;
	int r = vmt_config_path(&path, err);

	*ret_path = NULL;
	if (r < 0)
		return r;
	if (!path)
		return vmt_err_set(err, -ENOENT, NULL, 0, "HOME says no folder to write it to");
	r = make_folders(path, &folder, err);
	if (r < 0)
		return r;
	r = read_file(path, &text, &mode, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		vmt_buf_adds(&text, "# vmtop.conf(5)\n");
	vmt_settings_each(settings, edit, &e);
	if (e.error < 0 || vmt_buf_error(&text) < 0)
		return no_memory(err);
	r = replace(folder, strrchr(path, '/') + 1, mode, &text, err);
	if (r == 0)
		*ret_path = VMT_STEAL(path);
	return r;
}
