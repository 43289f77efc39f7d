/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-drain.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

/* The ring has room for this long, where some ten thousand processes end in a second. */
#define DRAIN_NS 50000000u
/* So often in a row nothing came: then it sleeps as long as it may. */
#define QUIET 8u
/* Of the burst that begins then the rest stays in the tables. */
#define PATIENT_NS 250000000u
/* What the thread keeps at most: then the ring fills, and rows stay in their tables. */
#define KEPT_MOST ((size_t)256 << 20)

/*
 * A record is kept as the words that are not 0, behind one bit for each word that says which these
 * are.
 */
struct pile {
	size_t size;
	uint64_t *words;
	size_t n_words;
	size_t cap_words;
	size_t n;
};

struct vmt_drain {
	struct ring_buffer *ring;
	struct pile piles[VMT_DRAIN_PILES];
	pthread_t thread;
	pthread_mutex_t lock; /* of the ring's reading end, and the piles */
	pthread_cond_t end;
	bool ending;
	bool has_thread;
	struct vmt_drain_tick tick;
	uint32_t quiet_ns; /* how long it sleeps where nothing came for a while */
	int error; /* why records are missing from the piles: memory was short, or one was of no
		      pile */
};

static size_t mask_words(const struct pile *p)
{
	return (p->size / 8 + 63) / 64;
}

/* Room for one more. Of what is not written to no page is touched. */
static int make_room(struct pile *p)
{
	size_t want = p->n_words + mask_words(p) + p->size / 8, cap = want + want / 4 + 512;
	uint64_t *words;

	if (want <= p->cap_words)
		return 0;
	words = reallocarray(p->words, cap, sizeof(*words));
	if (!words)
		return -ENOMEM;
	p->words = words;
	p->cap_words = cap;
	return 0;
}

static int keep(struct pile *p, const unsigned char *record)
{
	size_t words = p->size / 8, masks = mask_words(p), n = masks;
	uint64_t *to;

	if (make_room(p))
		return -ENOMEM;
	to = p->words + p->n_words;
	memset(to, 0, masks * sizeof(*to));
	for (size_t i = 0; i < words; i++) {
		uint64_t word;

		memcpy(&word, record + i * 8, sizeof(word));
		if (!word)
			continue;
		to[i / 64] |= UINT64_C(1) << (i % 64);
		to[n++] = word;
	}
	p->n_words += n;
	p->n++;
	return 0;
}

static int on_record(void *data, void *record, size_t size)
{
	struct vmt_drain *d = data;

	for (unsigned i = 0; i < VMT_DRAIN_PILES; i++) {
		if (!size || d->piles[i].size != size)
			continue;
		if (keep(&d->piles[i], record))
			d->error = -ENOMEM;
		return 0;
	}
	/* Whose it was, and what stood in it, nobody knows. */
	d->error = -EBADMSG;
	return 0;
}

/* With the lock. Whether something came. */
static bool take(struct vmt_drain *d)
{
	size_t kept = 0;

	for (unsigned i = 0; i < VMT_DRAIN_PILES; i++)
		kept += d->piles[i].n_words * sizeof(*d->piles[i].words);
	return (kept < KEPT_MOST || !d->has_thread) && ring_buffer__consume(d->ring) > 0;
}

static void *drain_thread(void *data)
{
	struct vmt_drain *d = data;
	unsigned quiet = 0;

	pthread_mutex_lock(&d->lock);
	while (!d->ending) {
		struct timespec until;

		quiet = take(d) ? 0 : quiet + (quiet < QUIET);
		if (d->tick.fn)
			d->tick.fn(d->tick.arg);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += quiet < QUIET ? DRAIN_NS : d->quiet_ns;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&d->end, &d->lock, &until);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static int start_thread(struct vmt_drain *d)
{
	sigset_t all, old;
	int r;

	/* Signals are for the program's own threads. */
	vmt_thread_signals(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&d->thread, NULL, drain_thread, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->has_thread = !r;
	return -r;
}

int vmt_drain_start(int ring_fd, const size_t sizes[VMT_DRAIN_PILES], bool patient,
		    const struct vmt_drain_tick *tick, struct vmt_drain **ret)
{
	struct vmt_drain *d = calloc(1, sizeof(*d));
	pthread_condattr_t attr;
	int r;

	if (!d)
		return -ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->end, &attr);
	pthread_condattr_destroy(&attr);
	for (unsigned i = 0; i < VMT_DRAIN_PILES; i++)
		d->piles[i].size = sizes[i];
	if (tick)
		d->tick = *tick;
	d->quiet_ns = patient ? PATIENT_NS : DRAIN_NS;
	d->ring = ring_buffer__new(ring_fd, on_record, d, NULL);
	if (!d->ring) {
		r = errno ? -errno : -EINVAL;
		vmt_drain_free(d);
		return r;
	}
	r = start_thread(d);
	if (r) {
		vmt_drain_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

size_t vmt_drain_count(struct vmt_drain *d, unsigned pile)
{
	size_t n;

	pthread_mutex_lock(&d->lock);
	take(d);
	n = d->piles[pile].n;
	pthread_mutex_unlock(&d->lock);
	return n;
}

bool vmt_drain_next(struct vmt_drain *d, unsigned pile, size_t *at, void *out)
{
	const struct pile *p = &d->piles[pile];
	size_t masks = mask_words(p), n = masks;
	unsigned char *to = out;
	bool there;

	pthread_mutex_lock(&d->lock);
	there = *at < p->n_words;
	for (size_t i = 0; there && i < p->size / 8; i++) {
		const uint64_t *from = p->words + *at;
		uint64_t word = 0;

		if (from[i / 64] >> (i % 64) & 1)
			word = from[n++];
		memcpy(to + i * 8, &word, sizeof(word));
	}
	if (there)
		*at += n;
	pthread_mutex_unlock(&d->lock);
	return there;
}

void vmt_drain_forget(struct vmt_drain *d, unsigned pile, size_t at)
{
	struct pile *p = &d->piles[pile];

	pthread_mutex_lock(&d->lock);
	if (at > p->n_words)
		at = p->n_words;
	for (size_t i = 0; i < at; p->n--) {
		size_t words = mask_words(p);

		for (size_t k = 0; k < mask_words(p); k++)
			words += (size_t)__builtin_popcountll(p->words[i + k]);
		i += words;
	}
	p->n_words -= at;
	if (p->n_words)
		memmove(p->words, p->words + at, p->n_words * sizeof(*p->words));
	pthread_mutex_unlock(&d->lock);
}

void vmt_drain_stop(struct vmt_drain *d)
{
	if (!d->has_thread)
		return;
	pthread_mutex_lock(&d->lock);
	d->ending = true;
	pthread_cond_signal(&d->end);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	d->has_thread = false;
}

int vmt_drain_error(struct vmt_drain *d)
{
	int r;

	pthread_mutex_lock(&d->lock);
	r = d->error;
	pthread_mutex_unlock(&d->lock);
	return r;
}

int vmt_drain_explain(int error, const char *what, struct vmt_err *err)
{
	return vmt_err_set(err, error, NULL, 0,
			   error == -EBADMSG ? "a row of the %s came in a size that none has"
					     : "no memory for the %s",
			   what);
}

void vmt_drain_free(struct vmt_drain *d)
{
	if (!d)
		return;
	vmt_drain_stop(d);
	ring_buffer__free(d->ring);
	for (unsigned i = 0; i < VMT_DRAIN_PILES; i++)
		free(d->piles[i].words);
	pthread_cond_destroy(&d->end);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
