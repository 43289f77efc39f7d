/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/proc-group.h"

#include <errno.h>

#include "model/tree.h"

/* A process as its group sees it. */
struct member {
	struct vmt_bytes name; /* of the group; ptr is NULL where it is not known */
	uint64_t mm; /* id of the first process with that address space */
	size_t index;
};

static struct vmt_bytes name_of(const struct vmt_proc *p, enum vmt_group_by by)
{
	switch (by) {
	case VMT_GROUP_BY_USER:
		if (VMT_HAS(proc, user, p))
			return p->user;
		break;
	case VMT_GROUP_BY_COMM:
		if (VMT_HAS(proc, comm, p))
			return p->comm;
		break;
	case VMT_GROUP_BY_CGROUP:
		if (VMT_HAS(proc, cgroup, p))
			return p->cgroup;
		break;
	}
	return (struct vmt_bytes){ 0 };
}

static int compare_names(const struct member *a, const struct member *b)
{
	if (!a->name.ptr || !b->name.ptr)
		return (a->name.ptr != NULL) - (b->name.ptr != NULL);
	return vmt_bytes_compare(a->name, b->name);
}

/* By name, those with one address space beside each other, then as they were. */
static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = compare_names(x, y);

	if (c == 0 && x->mm != y->mm)
		c = x->mm < y->mm ? -1 : 1;
	return c ? c : x->index < y->index ? -1 : x->index > y->index;
}

uint64_t vmt_proc_mm(const struct vmt_proc *p)
{
	return VMT_HAS(proc, shared_mm, p) ? p->shared_mm : p->pid;
}

#define ADD(member, g, p)                                                                          \
	do {                                                                                       \
		__typeof__((g)->member) sum_ = VMT_HAS(group, member, g) ? (g)->member : 0;        \
		if (VMT_HAS(proc, member, p) && !__builtin_add_overflow(sum_, (p)->member, &sum_)) \
			VMT_SET(group, member, g, sum_);                                           \
	} while (0)

/* again: its memory is that of the one before it, and is counted. */
static void add(struct vmt_proc_group *g, const struct vmt_proc *p, bool again)
{
	bool memory = !VMT_HAS(proc, class, p) || vmt_bytes_is(p->class, "user");

	g->processes_total++;
	ADD(minor_faults_per_second, g, p);
	ADD(major_faults_per_second, g, p);
	if (again)
		return;
	ADD(rss_bytes, g, p);
	ADD(anonymous_bytes, g, p);
	ADD(file_bytes, g, p);
	ADD(shmem_bytes, g, p);
	ADD(swap_bytes, g, p);
	ADD(pss_bytes, g, p);
	ADD(uss_bytes, g, p);
	ADD(swap_pss_bytes, g, p);
	ADD(rss_delta_bytes, g, p);
	g->unknown_total += memory && !VMT_HAS(proc, rss_bytes, p);
	g->pss_unknown_total += memory && !VMT_HAS(proc, pss_bytes, p);
}

/* The groups of members, whose names are set. */
static int sum_groups(const struct vmt_proc *procs, struct member *members, size_t n,
		      struct vmt_arena *arena, struct vmt_proc_group **ret, size_t *ret_n)
{
	struct vmt_proc_group *groups;
	size_t i, n_groups = 0;

	qsort(members, n, sizeof(*members), compare);
	for (i = 0; i < n; i++)
		n_groups += i == 0 || compare_names(&members[i - 1], &members[i]) != 0;
	groups = vmt_arena_alloc(arena, n_groups ? n_groups : 1, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	n_groups = 0;
	for (i = 0; i < n; i++) {
		bool first = i == 0 || compare_names(&members[i - 1], &members[i]) != 0;
		struct vmt_proc_group *g;

		if (first) {
			g = &groups[n_groups++];
			VMT_SET(group, processes_total, g, 0);
			VMT_SET(group, unknown_total, g, 0);
			VMT_SET(group, pss_unknown_total, g, 0);
			if (members[i].name.ptr)
				VMT_SET(group, name, g, members[i].name);
		}
		add(&groups[n_groups - 1], &procs[members[i].index],
		    !first && members[i - 1].mm == members[i].mm);
	}
	*ret = groups;
	*ret_n = n_groups;
	return 0;
}

int vmt_proc_groups(const struct vmt_proc *procs, size_t n, enum vmt_group_by by,
		    struct vmt_arena *arena, struct vmt_proc_group **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct member *members = calloc(n ? n : 1, sizeof(*members));
	size_t i;

	if (!members)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		members[i] = (struct member){ name_of(&procs[i], by), vmt_proc_mm(&procs[i]), i };
	return sum_groups(procs, members, n, arena, ret, ret_n);
}

int vmt_proc_groups_named(const struct vmt_proc *procs, const struct vmt_bytes *names, size_t n,
			  struct vmt_arena *arena, struct vmt_proc_group **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct member *members = calloc(n ? n : 1, sizeof(*members));
	size_t i, n_members = 0;

	if (!members)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		if (names[i].ptr)
			members[n_members++] =
				(struct member){ names[i], vmt_proc_mm(&procs[i]), i };
	return sum_groups(procs, members, n_members, arena, ret, ret_n);
}

/* A row of the tree. */
struct node {
	uint64_t pid;
	size_t row;
	size_t parent; /* node, or SIZE_MAX */
};

static int compare_nodes(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static size_t find_node(const struct node *nodes, size_t n, uint64_t pid)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (nodes[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && nodes[lo].pid == pid ? lo : SIZE_MAX;
}

/* The parent is older: else its number belonged to another process when the child was made. Equal
 * ticks say nothing. A process is not its own ancestor, whatever a recording says. */
static size_t find_parent(const struct node *nodes, size_t n, const void *const *rows, size_t self)
{
	const struct vmt_proc *p = rows[nodes[self].row], *q;
	size_t parent, up, steps;

	if (!VMT_HAS(proc, ppid, p) || p->ppid == p->pid)
		return SIZE_MAX;
	parent = find_node(nodes, n, p->ppid);
	if (parent == SIZE_MAX)
		return SIZE_MAX;
	q = rows[nodes[parent].row];
	if (VMT_HAS(proc, start_time_ns, p) && VMT_HAS(proc, start_time_ns, q) &&
	    q->start_time_ns > p->start_time_ns)
		return SIZE_MAX;
	for (up = parent, steps = 0; up != SIZE_MAX && steps <= n; up = nodes[up].parent, steps++)
		if (up == self)
			return SIZE_MAX;
	return parent;
}

static void sum_up(struct vmt_proc *parent, const struct vmt_proc *p)
{
	uint64_t sum, below = p->tree_rss_bytes;

	/* What has no memory adds nothing; what has some that is not known makes the sum unknown.
	 */
	if (VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user") &&
	    !VMT_HAS(proc, tree_rss_bytes, p))
		return;
	/* What is the parent's own counts once. */
	if (vmt_proc_mm(p) == vmt_proc_mm(parent) && VMT_HAS(proc, rss_bytes, p) &&
	    below >= p->rss_bytes)
		below -= p->rss_bytes;
	if (VMT_HAS(proc, tree_rss_bytes, parent) && VMT_HAS(proc, tree_rss_bytes, p) &&
	    !__builtin_add_overflow(parent->tree_rss_bytes, below, &sum))
		VMT_SET(proc, tree_rss_bytes, parent, sum);
	else
		VMT_UNSET(proc, tree_rss_bytes, parent);
}

/* For each row the one that it is below, or SIZE_MAX. 0 or -ENOMEM. */
static int find_parents(const void *const *rows, size_t n, size_t **ret)
{
	VMT_AUTO_FREE struct node *nodes = calloc(n ? n : 1, sizeof(*nodes));
	size_t *parents = calloc(n ? n : 1, sizeof(*parents));
	size_t i;

	if (!nodes || !parents) {
		free(parents);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		nodes[i] = (struct node){ .pid = ((const struct vmt_proc *)rows[i])->pid,
					  .row = i,
					  .parent = SIZE_MAX };
	qsort(nodes, n, sizeof(*nodes), compare_nodes);
	for (i = 0; i < n; i++)
		nodes[i].parent = find_parent(nodes, n, rows, i);
	for (i = 0; i < n; i++)
		parents[nodes[i].row] = nodes[i].parent == SIZE_MAX ? SIZE_MAX
								    : nodes[nodes[i].parent].row;
	*ret = parents;
	return 0;
}

int vmt_proc_tree(const void **rows, size_t n, struct vmt_proc *procs, size_t **ret_parents)
{
	VMT_AUTO_FREE const void **old = calloc(n ? n : 1, sizeof(*old));
	VMT_AUTO_FREE size_t *above = NULL;
	VMT_AUTO_FREE size_t *order = NULL;
	size_t *parents, i;
	int r = old ? find_parents(rows, n, &above) : -ENOMEM;

	if (r == 0)
		r = vmt_tree_order(above, n, &order, &parents);
	if (r < 0)
		return r;
	memcpy(old, rows, n * sizeof(*old));
	for (i = 0; i < n; i++) {
		struct vmt_proc *p = &procs[(const struct vmt_proc *)old[order[i]] - procs];
		const struct vmt_proc *up = parents[i] == SIZE_MAX ? NULL : rows[parents[i]];

		VMT_SET(proc, depth, p, up ? up->depth + 1 : 0);
		if (VMT_HAS(proc, rss_bytes, p))
			VMT_SET(proc, tree_rss_bytes, p, p->rss_bytes);
		rows[i] = p;
	}
	/* Children stand behind their parents, so from the end every sum is complete when it is
	 * passed on. */
	for (i = n; i-- > 0;)
		if (parents[i] != SIZE_MAX)
			sum_up(&procs[(const struct vmt_proc *)rows[parents[i]] - procs], rows[i]);
	*ret_parents = parents;
	return 0;
}
