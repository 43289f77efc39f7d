/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "cmd/metrics-groups.h"

/* Groups of processes, from a file of patterns. */

static struct vmt_proc process(const char *comm, const char *user, uint64_t uid, const char *cgroup)
{
	struct vmt_proc p = { 0 };

	if (comm)
		VMT_SET(proc, comm, &p, vmt_bytes_of(comm));
	if (user)
		VMT_SET(proc, user, &p, vmt_bytes_of(user));
	VMT_SET(proc, uid, &p, uid);
	if (cgroup)
		VMT_SET(proc, cgroup, &p, vmt_bytes_of(cgroup));
	return p;
}

static void groups_take_processes(void **state)
{
	static const char text[] = "# mine\n"
				   "[db]\n"
				   "comm = postgres mysql?\n"
				   "\tmaria*\n"
				   "[web]\r\n"
				   "comm=nginx\r\n"
				   "user: www-data 33\r\n"
				   "; a comment\n"
				   "[batch/1]\n"
				   "cgroup = /batch.slice/*";
	const struct {
		struct vmt_proc p;
		const char *group;
	} cases[] = {
		{ process("postgres", "root", 0, NULL), "db" },
		{ process("mysqld", "root", 0, NULL), "db" },
		{ process("mysql", "root", 0, NULL), "other" },
		{ process("mariadbd", "root", 0, NULL), "db" },
		{ process("nginx", "www-data", 33, NULL), "web" },
		{ process("nginx", NULL, 33, NULL), "web" },
		{ process("nginx", "root", 0, NULL), "other" },
		{ process("x", "root", 0, "/batch.slice/a/b"), "batch/1" },
		/* The first that takes it. */
		{ process("postgres", "root", 0, "/batch.slice/a"), "db" },
		{ process("x", "root", 0, "/batch.slicer"), "other" },
		{ process(NULL, "root", 0, NULL), "other" },
		{ process("", "root", 0, ""), "other" },
	};
	VMT_AUTO_METRIC_GROUPS g = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_proc odd = process(NULL, "root", 0, NULL);
	size_t i;

	assert_int_equal(vmt_metric_groups_parse("f", vmt_bytes_of(text), &g, &err), 0);
	assert_int_equal(g.n, 3);
	assert_true(vmt_metric_groups_ask(&g, VMT_GROUP_KEY_CGROUP));
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		assert_bytes(vmt_metric_group_of(&g, &cases[i].p), cases[i].group);
	VMT_SET(proc, comm, &odd, VMT_BYTES("postgres\0x"));
	assert_bytes(vmt_metric_group_of(&g, &odd), "other");
}

static void nothing_asked(void **state)
{
	VMT_AUTO_METRIC_GROUPS g = { 0 };
	struct vmt_err err = { 0 };
	const struct vmt_proc p = process("x", "root", 0, "/a");

	assert_int_equal(vmt_metric_groups_parse("f", vmt_bytes_of("# none\n"), &g, &err), 0);
	assert_int_equal(g.n, 0);
	assert_false(vmt_metric_groups_ask(&g, VMT_GROUP_KEY_CGROUP));
	assert_bytes(vmt_metric_group_of(&g, &p), "other");
}

static void wrong_lines(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} cases[] = {
		{ "comm = a\n", 1, "before the first" },
		{ "[a]\n[b]\ncomm = x\n", 1, "asks for nothing" },
		{ "[a]\ncomm = x\n\n[b]\n# end\n", 4, "asks for nothing" },
		{ "[a]\ncommand = x\n", 2, "asks for comm, user or cgroup" },
		{ "[a]\npid = 1\n", 2, "asks for comm, user or cgroup" },
		{ "[a]\ncomm =\n", 2, "no pattern" },
		{ "[a]\ncomm = x\ncomm = y\n", 3, "set twice" },
		{ "[a]\ncomm = x\n[a]\nuser = y\n", 4, "stands twice" },
		{ "[other]\ncomm = x\n", 2, "'other' is" },
		{ "[a b]\ncomm = x\n", 2, "letters, digits" },
		{ "[a\"]\ncomm = x\n", 2, "letters, digits" },
		{ "[]\ncomm = x\n", 2, "before the first" },
		{ "[a]\ncomm = x\nnonsense\n", 3, "neither" },
		{ "[a\ncomm = x\n", 1, "neither" },
		{ "[a]\ncomm = x\001\n", 2, "not text" },
		{ "[0123456789012345678901234567890123456789012345678]\ncomm = x\n", 1,
		  "more than 48 bytes" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_METRIC_GROUPS g = { 0 };
		struct vmt_err err = { 0 };

		if (vmt_metric_groups_parse("f", vmt_bytes_of(cases[i].text), &g, &err) !=
			    -EINVAL ||
		    err.line != cases[i].line || !strstr(err.text, cases[i].says))
			fail_msg("%s: line %u: %s", cases[i].text, err.line, err.text);
		assert_int_equal(g.n, 0);
		assert_string_equal(err.path, "f");
	}
}

static void bounds(void **state)
{
	VMT_AUTO_METRIC_GROUPS g = { 0 };
	VMT_AUTO_BUF text = { 0 };
	struct vmt_err err = { 0 };
	unsigned i;

	for (i = 0; i < VMT_METRIC_GROUPS_MAX; i++)
		vmt_buf_addf(&text, "[g%u]\ncomm = c%u\n", i, i);
	assert_int_equal(
		vmt_metric_groups_parse("f", (struct vmt_bytes){ text.data, text.len }, &g, &err),
		0);
	assert_int_equal(g.n, VMT_METRIC_GROUPS_MAX);
	vmt_metric_groups_done(&g);
	vmt_buf_adds(&text, "[more]\ncomm = x\n");
	assert_int_equal(
		vmt_metric_groups_parse("f", (struct vmt_bytes){ text.data, text.len }, &g, &err),
		-EINVAL);
	assert_int_equal(err.line, 2 * VMT_METRIC_GROUPS_MAX + 2);
	vmt_buf_clear(&text);
	vmt_buf_adds(&text, "[a]\ncomm = ");
	for (i = 0; i < 300; i++)
		vmt_buf_addc(&text, 'x');
	assert_int_equal(
		vmt_metric_groups_parse("f", (struct vmt_bytes){ text.data, text.len }, &g, &err),
		-EINVAL);
	assert_int_equal(err.line, 2);
}

static void files(void **state)
{
	VMT_AUTO_METRIC_GROUPS g = { 0 };
	struct vmt_err err = { 0 };
	struct unit_dir dir;
	char path[128];

	unit_dir_make(&dir);
	unit_dir_write(&dir, "groups", "[a]\ncomm = x\n");
	snprintf(path, sizeof(path), "%s/groups", dir.path);
	assert_int_equal(vmt_metric_groups_load(path, &g, &err), 0);
	assert_int_equal(g.n, 1);
	vmt_metric_groups_done(&g);
	snprintf(path, sizeof(path), "%s/none", dir.path);
	assert_int_equal(vmt_metric_groups_load(path, &g, &err), -ENOENT);
	assert_int_equal(vmt_metric_groups_load(dir.path, &g, &err), -EINVAL);
	assert_int_equal(vmt_metric_groups_load("/dev/zero", &g, &err), -EINVAL);
	unit_dir_remove(&dir);
}

static int sweep(void *arg)
{
	VMT_AUTO_METRIC_GROUPS g = { 0 };

	return vmt_metric_groups_parse("f", vmt_bytes_of("[a]\ncomm = x y\n z\nuser = r\n"), &g,
				       NULL);
}

static void no_memory(void **state)
{
	assert_true(unit_alloc_sweep(sweep, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_take_processes),
		cmocka_unit_test(nothing_asked),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(bounds),
		cmocka_unit_test(files),
		cmocka_unit_test(no_memory),
	};

	VMT_AUTO_METRIC_GROUPS g = { 0 };

	if (vmt_metric_groups_parse("f", VMT_BYTES(""), &g, NULL) == -ENOSYS) {
		puts("1..0 # skip built without inih");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
