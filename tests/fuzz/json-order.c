/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json-c puts keys in an order of its own at each start, against those who choose them so that they
 * collide; here the same input is to go the same way each time. */
#include <json-c/linkhash.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
}
