/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs fn(&variable) when the variable goes out of scope. */
#define VMT_CLEANUP(fn) __attribute__((cleanup(fn)))

/* A large buffer on the stack that a callee fills: not zeroed first, as the build does with all
 * that is on the stack (-ftrivial-auto-var-init). */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define VMT_FILLED_STACK __attribute__((uninitialized))
#else
#define VMT_FILLED_STACK
#endif

/* Hands over what a local owns: yields its value and leaves the empty value behind. */
#define VMT_STEAL(ptr)                                                                             \
	({                                                                                         \
		__typeof__(ptr) *vmt_p_ = &(ptr);                                                  \
		__typeof__(ptr) vmt_v_ = *vmt_p_;                                                  \
		*vmt_p_ = NULL;                                                                    \
		vmt_v_;                                                                            \
	})
#define VMT_STEAL_FD(fd)                                                                           \
	({                                                                                         \
		int *vmt_p_ = &(fd);                                                               \
		int vmt_v_ = *vmt_p_;                                                              \
		*vmt_p_ = -1;                                                                      \
		vmt_v_;                                                                            \
	})

/* For orders of several keys: below 0, 0, or above 0. */
static inline int vmt_compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static inline void vmt_freep(void *p)
{
	free(*(void **)p);
}

static inline void vmt_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void vmt_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define VMT_AUTO_FREE	VMT_CLEANUP(vmt_freep)
#define VMT_AUTO_CLOSE	VMT_CLEANUP(vmt_closep)
#define VMT_AUTO_FCLOSE VMT_CLEANUP(vmt_fclosep)

#define VMT_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * An arena: memory that lives and dies together, such as one sample. Not thread-safe; a reader
 * thread has an arena of its own, which vmt_arena_join() hands to the sample.
 */
struct vmt_arena {
	struct vmt_arena_block *head;
	size_t used; /* bytes handed out, for the report of our own footprint */
	bool failed; /* an allocation failed: so that many small ones are checked once, at the end
		      */
};

void vmt_arena_init(struct vmt_arena *a);
/* Frees all that came from the arena; it can be used again afterwards. */
void vmt_arena_done(struct vmt_arena *a);
/* Zeroed memory for n elements of size bytes, aligned for any type; NULL if there is none or if
 * n * size overflows. Owned by the arena. */
void *vmt_arena_alloc(struct vmt_arena *a, size_t n, size_t size);
/* A copy of len bytes with a NUL behind them (the bytes may hold NULs); NULL on ENOMEM. */
char *vmt_arena_copy(struct vmt_arena *a, const void *bytes, size_t len);
/* Moves all that from owns into a; from is empty afterwards. */
void vmt_arena_join(struct vmt_arena *a, struct vmt_arena *from);

/*
 * Grows *array (elements of size bytes, *cap of them) so that it holds at least want elements;
 * new elements are zeroed. 0, or -ENOMEM with the array as it was (also when the product
 * overflows). The caller frees *array.
 */
int vmt_grow(void *array, size_t *cap, size_t want, size_t size);
