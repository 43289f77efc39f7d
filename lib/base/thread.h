/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <signal.h>

/*
 * The signals that a thread of the library leaves to those of the program: all but what its own
 * mistakes raise, for which the program may have a handler that puts a terminal in order.
 */
static inline void vmt_thread_signals(sigset_t *ret)
{
	sigfillset(ret);
	sigdelset(ret, SIGSEGV);
	sigdelset(ret, SIGBUS);
	sigdelset(ret, SIGFPE);
	sigdelset(ret, SIGILL);
	sigdelset(ret, SIGABRT);
}
