/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cmd/top-config-edit.h"
#include "cmd/top-config.h"

/* The configuration: settings by their names, edits of its text, and saving it. */

static void edit(const char *before, const char *section, const char *name, const char *value,
		 const char *after)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_adds(&text, before);
	assert_int_equal(vmt_config_edit(&text, section, name, value), 0);
	assert_string_equal(text.data, after);
}

static void lines_are_changed_in_their_place(void **state)
{
	edit("", "", "delay", "2", "delay = 2\n");
	edit("# x\ndelay=1\nother = 3\n", "", "delay", "2", "# x\ndelay = 2\nother = 3\n");
	/* What it says already stays as it is, comments included. */
	edit("delay:2 ; as ever\n", "", "delay", "2", "delay:2 ; as ever\n");
	/* The last one counts; without a newline at the end, and with CRLF. */
	edit("delay = 1\ndelay = 3", "", "delay", "2", "delay = 1\ndelay = 2\n");
	edit("delay = 2\r\nx = 1\r\n", "", "delay", "2", "delay = 2\r\nx = 1\r\n");
	/* Gone, with the lines that it goes on in. */
	edit("[procs]\ncolumns = a,\n   b\n\nsort = x\n", "procs", "columns", NULL,
	     "[procs]\n\nsort = x\n");
	edit("delay = 2\n", "", "unit", NULL, "delay = 2\n");
	/* Wherever it stands, or what was before it would count. */
	edit("[procs]\nsort = x\n# c\nsort = y\n", "procs", "sort", NULL, "[procs]\n# c\n");
}

static void comments_stay(void **state)
{
	/* What it says on all its lines, without the comments. */
	edit("[procs]\ncolumns = a, ; one\n  b ; two\n", "procs", "columns", "a,b",
	     "[procs]\ncolumns = a, ; one\n  b ; two\n");
	/* No comment: there is no blank before it. */
	edit("[procs]\nsort =;a\n", "procs", "sort", "b", "[procs]\nsort = b\n");
	/* What stands between its lines, and what does not count. */
	edit("[procs]\ncolumns = a,\n# one\n  b\nno setting\n  c\nsort = x\n", "procs", "columns",
	     "b", "[procs]\ncolumns = b\n# one\nno setting\nsort = x\n");
}

static void lines_that_do_not_count(void **state)
{
	/* No section: what is behind it is of the one before. */
	edit("[procs]\n[cache\nsort = x\n", "procs", "sort", "y", "[procs]\n[cache\nsort = y\n");
	edit("[procs]\n[cache ; ]\nsort = x\n", "cache", "sort", "y",
	     "[procs]\n[cache ; ]\nsort = x\n\n[cache]\nsort = y\n");
	/* More of a value, whatever it looks like. */
	edit("unit = KiB\n  [procs]\n  delay = 1\n", "", "delay", "2",
	     "unit = KiB\n  [procs]\n  delay = 1\ndelay = 2\n");
	/* More of nothing; it is not made more of what is added. */
	edit("[procs]\n  b\n", "procs", "columns", "a", "[procs]\n  b\ncolumns = a\n");
	/* No text. */
	edit("delay = 2\x01\n", "", "delay", "2", "delay = 2\x01\ndelay = 2\n");
}

static void lines_are_added_where_they_belong(void **state)
{
	edit("# mine\n\n[procs]\nsort = x\n", "", "delay", "2",
	     "delay = 2\n# mine\n\n[procs]\nsort = x\n");
	edit("unit = KiB\n\n[procs]\nsort = x\n", "", "delay", "2",
	     "unit = KiB\ndelay = 2\n\n[procs]\nsort = x\n");
	edit("[procs]\nsort = x\n\n[cache]\n", "procs", "columns", "a",
	     "[procs]\nsort = x\ncolumns = a\n\n[cache]\n");
	edit("[cache]\n", "cache", "sort", "-a", "[cache]\nsort = -a\n");
	edit("delay = 2\n", "vmas", "sort", "-a", "delay = 2\n\n[vmas]\nsort = -a\n");
	/* The same name elsewhere is another. */
	edit("[cache]\nsort = y\n", "vmas", "sort", "-a",
	     "[cache]\nsort = y\n\n[vmas]\nsort = -a\n");
	edit("\xef\xbb\xbf[cache]\n", "", "delay", "2",
	     "\xef\xbb\xbf"
	     "delay = 2\n[cache]\n");
}

static void nothing(void *arg, const struct vmt_err *err)
{
	fail_msg("%s:%u: %s", err->path, err->line, err->text);
}

/* A file of this test that is the user's. */
static char *user_file(struct unit_dir *d, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", d->path, name) > 0);
	setenv("VMTOP_CONFIG", path, 1);
	return path;
}

static char *content(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	return text;
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0640), 0);
}

static void save(const struct vmt_ui_settings *s)
{
	VMT_AUTO_FREE char *path = NULL;
	struct vmt_err err = { 0 };

	if (vmt_config_save(s, NULL, &path, &err) != 0)
		fail_msg("%s: %s", err.path, err.text);
	assert_non_null(path);
}

static void what_is_saved_is_loaded(void **state)
{
	static const char columns[] = "pid,user,state,rss,pss,swap,minflt,majflt,threads,command,"
				      "cgroup,oom_score,voluntary,involuntary,started,elapsed,uid,"
				      "gid,session,terminal,priority,nice";
	VMT_AUTO_SETTINGS s = { 0 }, t = { 0 };
	struct vmt_err err = { 0 };
	struct unit_dir *d = *state;
	VMT_AUTO_FREE char *path = user_file(d, "a/b/vmtop.conf");

	assert_non_null(path);
	vmt_settings_init(&s);
	assert_int_equal(vmt_settings_set(&s, "", "delay", "0.5", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "", "unit", "pages", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "", "screen", "faults", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "", "mouse", "no", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "", "ascii", "yes", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "", "color", "always", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "", "theme", "high-contrast", &err), 0);
	assert_int_equal(vmt_settings_set(&s, "procs", "columns", columns, &err), 0);
	assert_int_equal(vmt_settings_set(&s, "cache", "sort", "-dirty", &err), 0);
	save(&s);
	vmt_settings_init(&t);
	if (vmt_config_load(&t, nothing, NULL) == 0 && !t.columns[VMT_SCREEN_PROCS])
		skip(); /* a build without inih */
	assert_int_equal(t.interval_ns, 500000000);
	assert_int_equal(t.unit, VMT_SIZE_PAGES);
	assert_int_equal(t.screen, VMT_SCREEN_FAULTS);
	assert_false(t.mouse);
	assert_true(t.ascii);
	assert_int_equal(t.color, VMT_WHEN_ALWAYS);
	assert_int_equal(t.theme, VMT_THEME_HIGH_CONTRAST);
	assert_string_equal(t.columns[VMT_SCREEN_PROCS], columns);
	assert_string_equal(t.sort[VMT_SCREEN_CACHE], "-dirty");
	assert_null(t.sort[VMT_SCREEN_PROCS]);
}

/* What is complained of, a line each. */
static void note(void *arg, const struct vmt_err *err)
{
	vmt_buf_addf(arg, "%u: %s\n", err->line, err->text);
}

static void load(const char *path, const char *text, struct vmt_ui_settings *ret, const char *said)
{
	VMT_AUTO_BUF complaints = { 0 };
	int n;

	write_text(path, text);
	vmt_settings_init(ret);
	vmt_buf_adds(&complaints, "");
	n = vmt_config_load(ret, note, &complaints);
	if (n == 0 && *said)
		skip(); /* a build without inih */
	assert_string_equal(complaints.data, said);
}

static void values_go_on(void **state)
{
	struct unit_dir *d = *state;
	VMT_AUTO_FREE char *path = user_file(d, "goes-on.conf");
	VMT_AUTO_SETTINGS s = { 0 };
	VMT_AUTO_SETTINGS t = { 0 };

	/* A comment behind it is none of the value; behind no blank it is no comment. */
	load(path, "nothing\n[procs]\ncolumns = pid, ; one\n# two\n\trss ; three\nsort =;a\n", &s,
	     "1: neither [section] nor name = value\n"
	     "6: [procs] sort: it takes names with commas between\n");
	assert_string_equal(s.columns[VMT_SCREEN_PROCS], "pid,rss");
	assert_null(s.sort[VMT_SCREEN_PROCS]);
	save(&s);
	assert_non_null(strstr(content(path), "columns = pid, ; one\n# two\n\trss ; three\n"));
	/* What is indented goes on with the setting before, and with none of another section. */
	load(path, "delay = 2\n[procs]\n  sort = rss\n[cache\nsort = pid\n", &t,
	     "3: it begins with a blank, and there is no value before that it could go on with\n"
	     "4: a section without its ]\n");
	assert_int_equal(t.interval_ns, 2000000000);
	assert_string_equal(t.sort[VMT_SCREEN_PROCS], "pid");
	assert_null(t.sort[VMT_SCREEN_CACHE]);
}

static void k06_what_is_not_known_stays(void **state)
{
	VMT_AUTO_SETTINGS s = { 0 };
	struct unit_dir *d = *state;
	VMT_AUTO_FREE char *path = user_file(d, "kept.conf");
	struct stat st;

	vmt_settings_init(&s);
	write_text(path, "# a comment\nfuture = 7\n; another\n[later]\nx = 1\n");
	save(&s);
	assert_non_null(strstr(content(path), "# a comment\nfuture = 7\n"));
	assert_non_null(strstr(content(path), "; another\n[later]\nx = 1\n"));
	assert_non_null(strstr(content(path), "delay = 1\n"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void k06_a_link_is_not_followed(void **state)
{
	VMT_AUTO_SETTINGS s = { 0 };
	struct unit_dir *d = *state;
	VMT_AUTO_FREE char *path = user_file(d, "link.conf"), *target = NULL;
	struct stat st;

	vmt_settings_init(&s);
	assert_true(asprintf(&target, "%s/target", d->path) > 0);
	write_text(target, "# of another program\n");
	assert_int_equal(symlink(target, path), 0);
	save(&s);
	assert_string_equal(content(target), "# of another program\n");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

/* Whether saving fails, with what stands there as it was and nothing beside it. */
static void save_fails(const char *path, const char *text)
{
	VMT_AUTO_SETTINGS s = { 0 };
	VMT_AUTO_FREE char *at = NULL;
	struct vmt_err err = { 0 };

	vmt_settings_init(&s);
	assert_true(vmt_config_save(&s, NULL, &at, &err) < 0);
	assert_null(at);
	assert_true(err.text[0] != 0);
	if (text)
		assert_string_equal(content(path), text);
}

static void k06_where_nothing_can_be_written(void **state)
{
	struct unit_dir *d = *state;
	VMT_AUTO_FREE char *path = user_file(d, "full.conf"), *below = NULL, *odd = NULL;
	struct rlimit limit, none;

	write_text(path, "# mine\n");
	/* As on a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	save_fails(path, "# mine\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	/* A file where there is to be a folder; what is no file, which is not replaced. */
	below = user_file(d, "full.conf/vmtop.conf");
	save_fails(below, NULL);
	odd = user_file(d, "fifo");
	assert_int_equal(mkfifo(odd, 0600), 0);
	save_fails(odd, NULL);
}

static void k04_without_a_place(void **state)
{
	VMT_AUTO_SETTINGS s = { 0 };
	VMT_AUTO_FREE char *at = NULL;
	struct vmt_err err = { 0 };

	vmt_settings_init(&s);
	unsetenv("VMTOP_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	assert_int_equal(vmt_config_save(&s, NULL, &at, &err), -ENOENT);
	setenv("HOME", "relative", 1);
	assert_int_equal(vmt_config_save(&s, NULL, &at, &err), -ENOENT);
	assert_null(at);
}

static void k02_settings_that_there_are_not(void **state)
{
	static const char *const wrong[][3] = {
		{ "", "delay", "0" },	      { "", "delay", "61" },
		{ "", "delay", "" },	      { "", "delay", "1e9" },
		{ "", "unit", "KIB" },	      { "", "mouse", "true" },
		{ "", "color", "" },	      { "", "theme", "dark" },
		{ "", "screen", "7" },	      { "", "columns", "pid" },
		{ "procs", "delay", "1" },    { "nowhere", "sort", "x" },
		{ "procs", "sort", "a, b" },  { "procs", "sort", "a;b" },
		{ "procs", "columns", "#a" },
	};
	VMT_AUTO_SETTINGS s = { 0 };
	size_t i;

	vmt_settings_init(&s);
	for (i = 0; i < VMT_ARRAY_LEN(wrong); i++) {
		struct vmt_err err = { 0 };

		assert_true(vmt_settings_set(&s, wrong[i][0], wrong[i][1], wrong[i][2], &err) < 0);
		assert_true(err.text[0] != 0);
	}
	assert_int_equal(s.interval_ns, 1000000000);
	assert_int_equal(s.unit, VMT_SIZE_HUMAN);
}

static int copy(void *arg)
{
	VMT_AUTO_SETTINGS s = { 0 };

	return vmt_settings_copy(&s, arg);
}

static int change(void *arg)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_adds(&text, "[procs]\nsort = x\n");
	return vmt_config_edit(&text, "procs", "columns", "a,b");
}

static void without_memory(void **state)
{
	VMT_AUTO_SETTINGS s = { 0 };

	vmt_settings_init(&s);
	assert_int_equal(vmt_settings_set(&s, "procs", "sort", "-rss", NULL), 0);
	assert_true(unit_alloc_sweep(change, NULL) > 0);
	/* strdup() of libc is not among those that can be made to fail. */
	assert_int_equal(copy(&s), 0);
}

static int begin(void **state)
{
	static struct unit_dir d;

	unit_dir_make(&d);
	*state = &d;
	return 0;
}

static int end(void **state)
{
	unit_dir_remove(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_changed_in_their_place),
		cmocka_unit_test(lines_are_added_where_they_belong),
		cmocka_unit_test(comments_stay),
		cmocka_unit_test(lines_that_do_not_count),
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(values_go_on),
		cmocka_unit_test(k06_what_is_not_known_stays),
		cmocka_unit_test(k06_a_link_is_not_followed),
		cmocka_unit_test(k06_where_nothing_can_be_written),
		cmocka_unit_test(k04_without_a_place),
		cmocka_unit_test(k02_settings_that_there_are_not),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
