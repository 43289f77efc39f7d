/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cppcheck, which reads no header of the system: the macros of libbpf that it has to know. */
#define LIBBPF_OPTS(type, name, ...) struct type name = { .sz = sizeof(struct type), __VA_ARGS__ }
#define bpf_object__for_each_program(p, o)                                                         \
	for ((p) = bpf_object__next_program(o, NULL); (p); (p) = bpf_object__next_program(o, p))
