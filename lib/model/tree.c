/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tree.h"

#include <errno.h>

#include "base/mem.h"

/* Children of a row are a list in the order of the rows; indices, SIZE_MAX for none. */
struct node {
	size_t first, last, next;
	size_t place; /* in the order */
};

static void link_child(struct node *nodes, size_t parent, size_t child)
{
	if (nodes[parent].first == SIZE_MAX)
		nodes[parent].first = child;
	else
		nodes[nodes[parent].last].next = child;
	nodes[parent].last = child;
}

int vmt_tree_order(const size_t *parents, size_t n, size_t **ret_order, size_t **ret_places)
{
	VMT_AUTO_FREE struct node *nodes = calloc(n ? n : 1, sizeof(*nodes));
	VMT_AUTO_FREE size_t *order = calloc(n ? n : 1, sizeof(*order));
	VMT_AUTO_FREE size_t *places = calloc(n ? n : 1, sizeof(*places));
	size_t i, done = 0;

	if (!nodes || !order || !places)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		nodes[i] = (struct node){ SIZE_MAX, SIZE_MAX, SIZE_MAX, 0 };
	for (i = 0; i < n; i++)
		if (parents[i] != SIZE_MAX)
			link_child(nodes, parents[i], i);
	for (i = 0; i < n; i++) {
		size_t at = i;

		if (parents[i] != SIZE_MAX)
			continue;
		while (at != SIZE_MAX) {
			nodes[at].place = done;
			places[done] = parents[at] == SIZE_MAX ? SIZE_MAX
							       : nodes[parents[at]].place;
			order[done++] = at;
			if (nodes[at].first != SIZE_MAX) {
				at = nodes[at].first;
				continue;
			}
			while (at != SIZE_MAX && nodes[at].next == SIZE_MAX)
				at = parents[at];
			if (at != SIZE_MAX)
				at = nodes[at].next;
		}
	}
	*ret_order = VMT_STEAL(order);
	*ret_places = VMT_STEAL(places);
	return 0;
}
