/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmtop as it is, but each run is one with --sandbox: what the suite "sandbox" has the live suite
 * test. Linked with --wrap=main, so that it is one program, with one exec.
 */
#include <stdlib.h>

int __wrap_main(int argc, char **argv);
int __real_main(int argc, char **argv);

int __wrap_main(int argc, char **argv)
{
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	int i, n = 0;

	if (!words)
		return 1;
	if (argc)
		words[n++] = argv[0];
	words[n++] = (char[]){ "--sandbox" };
	for (i = 1; i < argc; i++)
		words[n++] = argv[i];
	return __real_main(n, words);
}
