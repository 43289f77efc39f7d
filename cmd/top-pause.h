/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* How often the dashboard reads again what is dear. */

/* A process that did not answer is left alone for a while. */
#define VMT_TOP_RETRY_NS UINT64_C(10000000000)

/* How long after reading that took so much CPU time: what took little is for each sample; what took
 * more than 3 ms is read every two seconds, and no more often than it takes a fiftieth of the time.
 */
static inline uint64_t vmt_top_pause(uint64_t cost_ns)
{
	const uint64_t cheap_ns = 3000000, pause_ns = 2000000000, share = 50;

	if (cost_ns <= cheap_ns)
		return 0;
	return cost_ns * share > pause_ns ? cost_ns * share : pause_ns;
}
