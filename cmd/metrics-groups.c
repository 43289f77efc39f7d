/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/metrics-groups.h"

#include <fnmatch.h>
#include <inttypes.h>

#include "base/fmt.h"
#include "base/parse.h"
#include "cmd/whole-file.h"
#include "vmtop-config.h"

/* Nobody writes a longer one by hand. */
#define BYTES_MAX 65536
/* inih keeps 49 bytes of the name of a section, and does not say that there were more. */
#define NAME_LEN_MAX 48

void vmt_metric_groups_done(struct vmt_metric_groups *g)
{
	size_t i, k;

	for (i = 0; i < g->n; i++) {
		free(g->groups[i].name);
		for (k = 0; k < VMT_GROUP_KEY_COUNT; k++)
			free(g->groups[i].patterns[k]);
	}
	free(g->groups);
	*g = (struct vmt_metric_groups){ 0 };
}

bool vmt_metric_groups_ask(const struct vmt_metric_groups *g, enum vmt_group_key key)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->groups[i].patterns[key])
			return true;
	return false;
}

/* A text with a NUL in it, which the kernel does not have, is not to be matched as far as that. */
static bool matches(const char *patterns, struct vmt_bytes text)
{
	VMT_AUTO_FREE char *copy = NULL;

	if (text.len && memchr(text.ptr, 0, text.len))
		return false;
	copy = strndup(text.len ? text.ptr : "", text.len);
	for (; copy && *patterns; patterns += strlen(patterns) + 1)
		if (fnmatch(patterns, copy, 0) == 0)
			return true;
	return false;
}

static bool is_user(const char *patterns, const struct vmt_proc *p)
{
	char uid[24];

	if (VMT_HAS(proc, user, p) && matches(patterns, p->user))
		return true;
	snprintf(uid, sizeof(uid), "%" PRIu64, p->uid);
	return VMT_HAS(proc, uid, p) && matches(patterns, vmt_bytes_of(uid));
}

/* What is not known of a process matches nothing. */
static bool is_in(const struct vmt_metric_group *g, const struct vmt_proc *p)
{
	const char *comm = g->patterns[VMT_GROUP_KEY_COMM];
	const char *user = g->patterns[VMT_GROUP_KEY_USER];
	const char *cgroup = g->patterns[VMT_GROUP_KEY_CGROUP];

	return (!comm || (VMT_HAS(proc, comm, p) && matches(comm, p->comm))) &&
	       (!user || is_user(user, p)) &&
	       (!cgroup || (VMT_HAS(proc, cgroup, p) && matches(cgroup, p->cgroup)));
}

struct vmt_bytes vmt_metric_group_of(const struct vmt_metric_groups *g, const struct vmt_proc *p)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (is_in(&g->groups[i], p))
			return vmt_bytes_of(g->groups[i].name);
	return VMT_BYTES(VMT_METRIC_GROUP_REST);
}

#ifdef VMT_HAVE_INIH
#include <ini.h>

static const char *const keys[] = {
	[VMT_GROUP_KEY_COMM] = "comm",
	[VMT_GROUP_KEY_USER] = "user",
	[VMT_GROUP_KEY_CGROUP] = "cgroup",
};

struct file {
	const char *path;
	struct vmt_bytes rest;
	unsigned line; /* that is being read */
	unsigned begun; /* line of a section that has nothing in it so far, or 0 */
	bool goes_on; /* the line begins with a blank: more of the value before */
	struct vmt_metric_groups *groups;
	struct vmt_err *err;
	int error; /* the first */
};

static int wrong(struct file *f, unsigned line, const char *text)
{
	if (f->error == 0)
		f->error = vmt_err_set(f->err, -EINVAL, f->path, line, "%s", text);
	return f->error;
}

static int no_memory(struct file *f)
{
	if (f->error == 0)
		f->error = vmt_err_set(f->err, -ENOMEM, NULL, 0, "out of memory");
	return f->error;
}

/* What inih would cut, or take in its own way, is refused. */
static void check_line(struct file *f, struct vmt_bytes line, int size)
{
	struct vmt_bytes word = line;
	size_t i;

	if (line.len + 2 > (size_t)size)
		wrong(f, f->line,
		      "the line is too long; a value may go on in the next one, behind blanks");
	for (i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			wrong(f, f->line, "not text");
	}
	vmt_take_blanks(&word);
	if (!word.len || word.ptr[0] != '[')
		return;
	if (f->goes_on)
		wrong(f, f->line, "a [section] begins its line");
	if (!memchr(word.ptr, ']', word.len))
		wrong(f, f->line, "neither [group] nor name = patterns");
	if (f->begun)
		wrong(f, f->begun, "the group asks for nothing: comm, user or cgroup");
	f->begun = f->line;
	if (word.len > NAME_LEN_MAX + 2)
		wrong(f, f->line, "the name of the group has more than 48 bytes");
}

/* As fgets(), for inih; nothing more after the first error. */
static char *next_line(char *to, int size, void *arg)
{
	struct file *f = arg;
	struct vmt_bytes line;

	if (f->error || !vmt_take_line(&f->rest, &line))
		return NULL;
	f->line++;
	f->goes_on = line.len && vmt_is_blank(line.ptr[0]);
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	check_line(f, line, size);
	if (f->error)
		return NULL;
	memcpy(to, line.ptr, line.len);
	to[line.len] = '\n';
	to[line.len + 1] = 0;
	return to;
}

static struct vmt_metric_group *find(struct vmt_metric_groups *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (strcmp(g->groups[i].name, name) == 0)
			return &g->groups[i];
	return NULL;
}

/* The name becomes a label, and a word of the state file. */
static bool is_name(const char *s)
{
	size_t len = strlen(s);

	return len && len <= NAME_LEN_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@+") ==
		       len;
}

static struct vmt_metric_group *begin(struct file *f, const char *name)
{
	struct vmt_metric_groups *g = f->groups;

	if (!is_name(name))
		wrong(f, f->line,
		      *name ? "the name of a group is letters, digits and _-.:/@+"
			    : "a line before the first [group]");
	else if (strcmp(name, VMT_METRIC_GROUP_REST) == 0)
		wrong(f, f->line, "'other' is the group of all that are in no other one");
	else if (find(g, name))
		wrong(f, f->line, "the group stands twice");
	else if (g->n == VMT_METRIC_GROUPS_MAX)
		wrong(f, f->line, "more than 64 groups");
	if (f->error)
		return NULL;
	if (vmt_grow(&g->groups, &g->cap, g->n + 1, sizeof(*g->groups)) < 0) {
		no_memory(f);
		return NULL;
	}
	g->groups[g->n].name = strdup(name);
	if (!g->groups[g->n].name) {
		no_memory(f);
		return NULL;
	}
	return &g->groups[g->n++];
}

/* Adds the words of value to the patterns, which end with an empty one. */
static int add_patterns(struct file *f, char **patterns, const char *value)
{
	VMT_AUTO_BUF all = { 0 };
	struct vmt_bytes rest = vmt_bytes_of(value), word;
	const char *old = *patterns;

	for (; old && *old; old += strlen(old) + 1)
		vmt_buf_add(&all, old, strlen(old) + 1);
	while (vmt_take_blanks(&rest), word = vmt_take_word(&rest), word.len) {
		vmt_buf_add(&all, word.ptr, word.len);
		vmt_buf_addc(&all, 0);
	}
	if (vmt_buf_error(&all) == 0 && !all.len)
		return wrong(f, f->line, "there is no pattern");
	vmt_buf_addc(&all, 0);
	if (vmt_buf_error(&all) < 0)
		return no_memory(f);
	free(*patterns);
	*patterns = VMT_STEAL(all.data);
	return 0;
}

static int take_setting(void *arg, const char *section, const char *name, const char *value)
{
	struct file *f = arg;
	struct vmt_metric_groups *g = f->groups;
	struct vmt_metric_group *group = NULL;
	size_t key;

	if (f->error)
		return 0;
	for (key = 0; key < VMT_GROUP_KEY_COUNT; key++)
		if (strcmp(name, keys[key]) == 0)
			break;
	if (f->begun || !g->n)
		group = begin(f, section);
	else
		group = &g->groups[g->n - 1];
	f->begun = 0;
	if (!group)
		return 0;
	if (key == VMT_GROUP_KEY_COUNT)
		return wrong(f, f->line, "a group asks for comm, user or cgroup") == 0;
	if (group->patterns[key] && !f->goes_on)
		return wrong(f, f->line, "it is set twice; patterns stand in one line") == 0;
	return add_patterns(f, &group->patterns[key], value) == 0;
}

int vmt_metric_groups_parse(const char *path, struct vmt_bytes text, struct vmt_metric_groups *ret,
			    struct vmt_err *err)
{
	struct file f = { .path = path, .rest = text, .groups = ret, .err = err };
	int r = ini_parse_stream(next_line, &f, take_setting, &f);

	if (f.error == 0 && r > 0)
		wrong(&f, (unsigned)r, "neither [group] nor name = patterns");
	if (f.error == 0 && r < 0)
		no_memory(&f);
	if (f.error == 0 && f.begun)
		wrong(&f, f.begun, "the group asks for nothing: comm, user or cgroup");
	if (f.error < 0)
		vmt_metric_groups_done(ret);
	return f.error;
}

int vmt_metric_groups_load(const char *path, struct vmt_metric_groups *ret, struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };
	int r = vmt_whole_file(path, 0, BYTES_MAX, &text, NULL, err);

	return r < 0 ? r
		     : vmt_metric_groups_parse(path, (struct vmt_bytes){ text.data, text.len }, ret,
					       err);
}
#else
int vmt_metric_groups_parse(const char *path, struct vmt_bytes text, struct vmt_metric_groups *ret,
			    struct vmt_err *err)
{
	return vmt_err_set(err, -ENOSYS, path, 0, "vmtop was built without inih, which reads it");
}

int vmt_metric_groups_load(const char *path, struct vmt_metric_groups *ret, struct vmt_err *err)
{
	return vmt_metric_groups_parse(path, (struct vmt_bytes){ 0 }, ret, err);
}
#endif
