/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/sample.h"

struct vmt_fault_file;
struct vmt_fault_raw;
struct vmt_fault_frame;
struct vmt_fault_stack;
struct vmt_fault_sample;
struct vmt_fault_spent;

/* What the rows of faults are summed over. */
enum vmt_fault_group {
	VMT_FAULT_BY_VMA,
	VMT_FAULT_BY_PROC,
	VMT_FAULT_BY_FILE,
	VMT_FAULT_BY_IP, /* where stacks were counted, of whatever depth */
	VMT_FAULT_BY_CGROUP, /* that the process which was charged was in last */
	VMT_FAULT_BY_KIND, /* where kinds were counted by mapping */
};

struct vmt_model_opts {
	enum vmt_fault_group fault_group;
	/* A row for each of these kinds (bits by enum vmt_fault_kind), and no others; 0: rows of
	 * all kinds together. By IP there are no kinds. */
	uint32_t fault_kinds;
	bool no_shares; /* nobody looks at the parts by their sort */
};

/*
 * What a sample means: sums, rates against the sample before it, groups and findings. Rows are
 * the sample's own where nothing is added to them.
 */
struct vmt_model {
	const struct vmt_sample *sample;
	struct vmt_arena arena; /* owns what follows */
	struct vmt_system system;
	struct vmt_part *parts; /* where MemTotal went, by enum vmt_part_id; or none */
	size_t n_parts;
	struct vmt_share *shares; /* the same in eight rows, by enum vmt_share_id; or none */
	size_t n_shares;
	struct vmt_term *terms; /* of available; or none */
	size_t n_terms;
	struct vmt_commit commit;
	struct vmt_pressure *pressure;
	size_t n_pressure;
	struct vmt_proc *procs; /* one for each of the sample's, same order */
	size_t n_procs;
	struct vmt_cgroup *cgroups; /* one for each of the sample's, same order */
	size_t n_cgroups;
	bool has_probe;
	struct vmt_probe_row probe;
	struct vmt_fault *faults;
	size_t n_faults;
	struct vmt_stack *stacks;
	size_t n_stacks;
	struct vmt_single *singles;
	size_t n_singles;
	size_t n_singles_new; /* the last of them, that came since the sample before */
	struct vmt_event *events; /* the last rare ones; who samples has them */
	size_t n_events;
	size_t n_events_new; /* the last of them, that came since the sample before */
	struct vmt_balance *balance;
	size_t n_balance;
	struct vmt_file *files;
	size_t n_files;
	bool has_cache;
	struct vmt_cache cache;
	struct vmt_cached_file *cached_files; /* the sample's own */
	size_t n_cached_files;
	struct vmt_rung *rungs;
	size_t n_rungs;
	/* Nodes and zones, where the sample has them. */
	struct vmt_zone_row *zones;
	size_t n_zones;
	struct vmt_order *orders;
	size_t n_orders;
	struct vmt_migrate *migrate;
	size_t n_migrate;
	struct vmt_node *nodes;
	size_t n_nodes;
	struct vmt_cpu_list *cpu_lists;
	size_t n_cpu_lists;
	struct vmt_compaction compaction;
	struct vmt_region *regions;
	size_t n_regions;
	struct vmt_region_sum *region_sums;
	size_t n_region_sums;
	/* The kernel's own memory, where the sample has it. */
	struct vmt_kernel_use *uses;
	size_t n_uses;
	struct vmt_slab *slabs;
	size_t n_slabs;
	struct vmt_vmalloc *vmalloc;
	size_t n_vmalloc;
	struct vmt_kernel_sum *kernel_sums;
	size_t n_kernel_sums;
	struct vmt_kernel_range *ranges;
	size_t n_ranges;
	struct vmt_address_space address_space;
	struct vmt_counter *counters;
	size_t n_counters;
	struct vmt_source_row *sources;
	size_t n_sources;
	struct vmt_finding *findings;
	size_t n_findings;
};

/*
 * Builds the model of sample; prev (may be NULL) is an earlier sample of the same machine, for
 * rates. Pure: reads nothing. sample must outlive the model, prev need not. -ENOMEM is the only
 * failure.
 */
int vmt_model_build(const struct vmt_sample *sample, const struct vmt_sample *prev,
		    const struct vmt_model_opts *opts, struct vmt_model **ret, struct vmt_err *err);
/* After more was read of n processes of its sample, given as indices: their rows anew, where they
 * are, and the sources. prev as it was for the model. 0 or -ENOMEM. */
int vmt_model_refresh(struct vmt_model *m, const struct vmt_sample *prev, const size_t *indices,
		      size_t n);
void vmt_model_free(struct vmt_model *m);

static inline void vmt_model_freep(struct vmt_model **m)
{
	vmt_model_free(*m);
}
#define VMT_AUTO_MODEL VMT_CLEANUP(vmt_model_freep) struct vmt_model *

/* ns from prev to sample; 0 where there is no prev, or it is of another boot or not earlier: then
 * there are no rates. */
uint64_t vmt_time_between(const struct vmt_sample *sample, const struct vmt_sample *prev);
/* Values of the machine that follow from others; unknown where a term is. page_size in bytes. */
void vmt_system_derive(struct vmt_system *s, uint64_t page_size);
/* Counts a second between two samples of the same boot, dt_ns apart; a counter that went back is
 * unknown. */
void vmt_system_rates(struct vmt_system *s, const struct vmt_system *prev, uint64_t dt_ns);
void vmt_proc_rates(struct vmt_proc *p, const struct vmt_proc *prev, uint64_t dt_ns);
/* A rate in thousandths a second; false where the counter went back or no time passed. */
bool vmt_rate_milli(uint64_t now, uint64_t before, uint64_t dt_ns, uint64_t *ret_milli);

/* Fills m->faults, balance, files, probe and rungs from m->sample->faults; where there is none, the
 * first two and probe from its fault_table. */
int vmt_model_faults(struct vmt_model *m, const struct vmt_model_opts *opts);
/* Fills m->stacks from the stacks and frames of m->sample->faults, where it has whole ones. */
int vmt_model_stacks(struct vmt_model *m);
/* Fills m->faults by the instruction in user mode, where stacks were counted. */
int vmt_model_fault_ips(struct vmt_model *m);
/* The VMT_HAVE_ bits of what a field of a fault cannot be known without. */
uint32_t vmt_fault_field_have(const struct vmt_field *f);
/* Sets what of the time of a row was spent waiting and reading, where the sample knows it. */
void vmt_fault_set_shares(struct vmt_fault *row, const struct vmt_fault_sample *f,
			  const struct vmt_fault_spent *spent);
/*
 * Sets how many faults the times of a row are of, and whether the overhead guard left some untimed.
 * known is the number of those that could have been timed.
 */
struct vmt_latency_sum;
void vmt_fault_set_sampled(struct vmt_fault *row, const struct vmt_fault_sample *f,
			   const struct vmt_latency_sum *latency, uint64_t known);
/* Sets how many faults were timed in all, and what the guard did about it. */
void vmt_fault_set_guard(struct vmt_probe_row *p, const struct vmt_fault_sample *f);
/* The VMT_ASK_ bit of what it takes to know it, or 0; of a single fault. */
uint32_t vmt_fault_field_ask(const struct vmt_field *f);
uint32_t vmt_single_field_ask(const struct vmt_field *f);
/* What the calls of filemap_fault for a file came to, as far as have says that it is known; arena
 * is the model's. */
void vmt_fault_file_calls(const struct vmt_fault_file *raw, uint32_t have, struct vmt_arena *arena,
			  struct vmt_file *row);
/* What an address is, as a line of folded stacks has it: function, or file and offset. */
void vmt_fault_frame_text(struct vmt_buf *out, const struct vmt_fault_frame *f);
/* What stands in the place of frames of user mode where there are none: why, in brackets. */
const char *vmt_fault_stack_reason(const struct vmt_fault_stack *s);
/* Fills m->singles from the same. */
int vmt_model_singles(struct vmt_model *m);
/*
 * Rows of the single faults of f, with the mappings of f that they name; host is of a sample of the
 * same boot. Rows and their strings are the arena's. -ENOMEM.
 */
int vmt_single_rows(const struct vmt_fault_sample *f, const struct vmt_host *host,
		    struct vmt_arena *arena, struct vmt_single **ret, size_t *ret_n);
/* A row that says how many single faults are missing in a stream; times are CLOCK_MONOTONIC. */
void vmt_gap_row(const struct vmt_host *host, uint64_t start_ns, uint64_t now_ns, uint64_t lost,
		 uint64_t limited, struct vmt_arena *arena, struct vmt_gap *ret);
/* The sort of a mapping in a word, and the name that the probe found, or what pmap calls a mapping
 * without one. */
struct vmt_bytes vmt_fault_class_word(const struct vmt_fault_raw *raw);
struct vmt_bytes vmt_fault_path(const struct vmt_fault_raw *raw);
/* Fills m->findings; the rest of the model is complete. */
int vmt_model_findings(struct vmt_model *m);
