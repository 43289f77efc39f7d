/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmtop.conf: read, written and read again, it says the same; what is saved in the place of another
 * one counts, whatever stood there, and what is said already changes nothing. */
#include "cmd/top-config.h"

#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"

/* In memory where it can be: each file that is saved is synced. */
static char folder[] = "/dev/shm/vmtop-fuzz-XXXXXX", path[64];

static void remove_all(void)
{
	unlink(path);
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (!mkdtemp(folder)) {
		memcpy(folder, "/tmp/vmtop-fuzz-XXXXXX", sizeof("/tmp/vmtop-fuzz-XXXXXX"));
		CHECK(mkdtemp(folder));
	}
	snprintf(path, sizeof(path), "%s/conf", folder);
	CHECK(atexit(remove_all) == 0);
	return setenv("VMTOP_CONFIG", path, 1);
}

static void complain(void *arg, const struct vmt_err *err)
{
	(void)arg;
	CHECK(err->code < 0 && err->text[0]);
}

/* What is set, one a line. */
static void list(void *arg, const char *section, const char *name, const char *value)
{
	struct vmt_buf *out = arg;

	vmt_buf_addf(out, "[%s] %s=%s\n", section, name, value ? value : "(none)");
}

static void load(struct vmt_ui_settings *s, struct vmt_buf *out)
{
	vmt_settings_init(s);
	CHECK(vmt_config_load(s, complain, NULL) >= 0);
	vmt_settings_each(s, list, out);
	CHECK(vmt_buf_error(out) == 0);
}

static void write_file(const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "we");

	CHECK(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static void save(const struct vmt_ui_settings *s, struct vmt_buf *ret)
{
	VMT_AUTO_FREE char *saved = NULL;
	char text[4096];
	FILE *f;
	size_t n;

	CHECK(vmt_config_save(s, NULL, &saved, NULL) == 0);
	f = fopen(path, "re");
	CHECK(f);
	while ((n = fread(text, 1, sizeof(text), f)) > 0)
		vmt_buf_add(ret, text, n);
	CHECK(feof(f) && fclose(f) == 0 && vmt_buf_error(ret) == 0);
}

/* Saves s over a file, and reads what it says then. */
static void saved_over(const uint8_t *data, size_t size, const struct vmt_ui_settings *s,
		       const struct vmt_buf *wanted)
{
	VMT_AUTO_SETTINGS again = { 0 };
	VMT_AUTO_BUF said = { 0 }, text = { 0 }, same = { 0 };

	write_file(data, size);
	save(s, &text);
	load(&again, &said);
	CHECK(strcmp(said.data, wanted->data) == 0);
	save(s, &same);
	CHECK(vmt_bytes_equal((struct vmt_bytes){ text.data, text.len },
			      (struct vmt_bytes){ same.data, same.len }));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VMT_AUTO_BUF said = { 0 }, nothing = { 0 };
	VMT_AUTO_SETTINGS set = { 0 };
	VMT_AUTO_SETTINGS none = { 0 };

	unlink(path);
	load(&none, &nothing);
	write_file(data, size);
	load(&set, &said);
	saved_over(data, 0, &set, &said);
	saved_over(data, size, &set, &said);
	saved_over(data, size, &none, &nothing);
	return 0;
}
