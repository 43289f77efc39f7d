/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Who made what is mapped: a claim for each range that a call mapped, by the address where it
 * begins. It is kept until the range that begins there is unmapped, moved or mapped anew; a call
 * that takes its first pages leaves the rest. What else became of a range, as where pages in its
 * middle were taken, is for user space to see in the list of mappings; of two claims of a page the
 * later one is true.
 *
 * All of it is behind vmt_touched, which is constant when the programs are loaded: where it is 0
 * the verifier removes this code.
 */

#include "bpf/event-open.bpf.h"
#include "bpf/event-site.bpf.h"

const volatile __u32 vmt_touched = 0;

volatile __u64 claims_lost = 0; /* that found no room, or no row of their process or stack */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* user space sets it */
	__type(key, struct vmt_claim_key);
	__type(value, struct vmt_slot_claim);
} claims SEC(".maps");

#define CLAIMS		 (BIT(MMAP) | BIT(MUNMAP) | BIT(MREMAP) | BIT(BRK) | BIT(SHMAT) | BIT(SHMDT))
#define MREMAP_DONTUNMAP 4

/* What a call did: it took one range, and mapped another one. Empty ones are none. */
struct claim_change {
	u64 gone, gone_end;
	u64 start, end;
};

static __noinline void claim_lost(u32 site)
{
	struct vmt_slot_site *s = bpf_map_lookup_elem(&sites, &site);

	vmt_add(&claims_lost, 1);
	if (s)
		vmt_add(&s->lost, 1);
}

/*
 * Puts what is left of a claim, which begins at key->start, back: around what was mapped there
 * since and over what was mapped there before, whose own rest may be left then.
 */
static __noinline void claim_keep(struct vmt_claim_key *key, struct vmt_slot_claim *rest)
{
	struct vmt_slot_claim other;
	struct vmt_slot_claim *there;

	for (int i = 0; i < 8; i++) {
		there = bpf_map_lookup_elem(&claims, key);
		if (!there) {
			if (bpf_map_update_elem(&claims, key, rest, BPF_NOEXIST))
				break;
			return;
		}
		other = *there;
		if (other.process == rest->process && other.ns > rest->ns) {
			if (other.end >= rest->end)
				return;
			key->start = other.end;
			continue;
		}
		if (bpf_map_update_elem(&claims, key, rest, BPF_ANY))
			break;
		if (other.process != rest->process || other.end <= rest->end)
			return;
		key->start = rest->end;
		*rest = other;
	}
	claim_lost(rest->site);
}

/* A range is gone, or is another's now: a claim that begins where it does has what lies behind it.
 * One that was made while the call went on is of another thread, which got the range after it. */
static __noinline void claim_cut(u32 tgid, u64 t0, u64 start, u64 end)
{
	struct vmt_claim_key key = { .start = start, .tgid = tgid };
	struct vmt_slot_claim *there = bpf_map_lookup_elem(&claims, &key), rest;

	if (!there || there->ns > t0)
		return;
	rest = *there;
	if (bpf_map_delete_elem(&claims, &key) || rest.end <= end)
		return;
	key.start = end;
	claim_keep(&key, &rest);
}

static __noinline void claim_make(const struct open_call *open, u64 start, u64 end, u64 now,
				  u64 process)
{
	struct vmt_claim_key key = { .start = start, .tgid = open->tgid };
	struct vmt_slot_claim made = {
		.end = end, .ns = now, .process = process, .site = open->site - 1
	};
	struct vmt_slot_site *s = bpf_map_lookup_elem(&sites, &made.site);

	if (s)
		vmt_add(&s->mapped, end - start);
	if (!process || !s || bpf_map_update_elem(&claims, &key, &made, BPF_ANY))
		claim_lost(made.site);
}

/* What a call did to ranges. */
static __always_inline void claim_range(const struct open_call *open, u64 ret,
					struct claim_change *c)
{
	const u64 *a = open->args, mask = vmt_page - 1;
	u64 old, new;

	if (open->call == CALL(MMAP)) {
		c->start = ret;
		c->end = ret + ((a[1] + mask) & ~mask);
	} else if (open->call == CALL(MUNMAP)) {
		c->gone = a[0];
		c->gone_end = a[0] + ((a[1] + mask) & ~mask);
	} else if (open->call == CALL(BRK)) {
		old = (open->before + mask) & ~mask;
		new = (ret + mask) & ~mask;
		c->start = old;
		c->end = new;
		c->gone = new;
		c->gone_end = old;
	} else if (open->call == CALL(SHMAT)) {
		c->start = ret;
		c->end = open->flags & VMT_EVENT_BEFORE ? ret + open->before : ret;
	} else if (open->call == CALL(SHMDT) && open->flags & VMT_EVENT_BEFORE) {
		c->gone = a[0];
		c->gone_end = a[0] + open->before;
	} else if (open->call == CALL(MREMAP)) {
		old = (a[1] + mask) & ~mask;
		new = (a[2] + mask) & ~mask;
		if (a[0] != ret) {
			c->start = ret;
			c->end = ret + new;
			c->gone = a[0];
			c->gone_end = a[3] & MREMAP_DONTUNMAP ? a[0] : a[0] + old;
		} else {
			c->start = c->gone_end = a[0] + old;
			c->end = c->gone = a[0] + new;
		}
	}
}

/* Of a call that did not fail; process is when its process was made, 0 where that has no row. */
static __always_inline void claim(const struct open_call *open, s64 ret, u64 now, u64 process)
{
	struct claim_change c = {};

	claim_range(open, ret, &c);
	if (c.gone < c.gone_end)
		claim_cut(open->tgid, open->t0, c.gone, c.gone_end);
	if (c.start < c.end) {
		claim_cut(open->tgid, open->t0, c.start, c.end);
		claim_make(open, c.start, c.end, now, process);
	} else if (open->call == CALL(SHMAT)) {
		/* How long it is was not found. */
		claim_lost(open->site - 1);
	}
}
