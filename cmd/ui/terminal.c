/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/terminal.h"

#include <curses.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>

#include "cmd/ui/aside.h"
#include "cmd/ui/input.h"

/* Larger ones show a part: a terminal may say anything about its size. */
#define HEIGHT_MAX 500
#define WIDTH_MAX  1000

/* How long a terminal that takes nothing is given to take what leaves our screen, in ms. */
#define LEAVE_MS 500

/* Bytes of what makes the screen the shell's again. */
#define RESTORE_MAX 4096

/* So many cells that did not change are written again where that takes less than moving over. */
#define GAP_MAX 4
/* From so many blanks on, the end of a line is erased. */
#define ERASE_MIN 8

/* Copies of the terminal's description that are used again and again, without what a delay is. */
struct caps {
	char *move; /* cup */
	char *clear;
	char *erase; /* to the end of the line; NULL where there is none */
	char *styles[VMT_STYLE_COUNT];
	bool wraps; /* writing the last cell of the screen may scroll it */
	bool ansi; /* it takes sequences of ECMA-48 */
	bool mouse;
	int colors;
};

struct vmt_terminal {
	int fd; /* a description of its own, that never waits */
	struct termios found;
	bool entered;
	struct vmt_terminal_opts opts;
	struct caps caps;
	struct vmt_input in;
	struct vmt_buf out;
	size_t sent; /* bytes of out */
	struct vmt_cell *shown; /* height * width; heap */
	unsigned height, width;
	bool known; /* shown is what it shows, once out is sent */
	/* While a screen is made: where the terminal's cursor is, and what it writes with. */
	bool placed;
	unsigned y, x;
	int style; /* -1: any */
	void *stack; /* of the handlers of crashes; heap */
	struct sigaction old[16];
};

/*
 * What the handlers of crashes need: they may do nothing but write(2), poll(2) and tcsetattr(3).
 * This is the one state of the program that is not on its stack or heap, for a handler is given no
 * argument.
 */
static struct {
	int fd;
	struct termios found;
	size_t len;
	char text[RESTORE_MAX];
	struct vmt_aside aside;
} restore = { .aside = { .old = -1 } };
static volatile sig_atomic_t restore_armed;

static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGQUIT };

/* Writes all of text, or as much as the terminal takes before it has been silent too long. */
static void write_patiently(int fd, const char *text, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && errno != EAGAIN) {
			return;
		} else if (poll(&p, 1, LEAVE_MS) <= 0 || p.revents & (POLLERR | POLLHUP)) {
			return;
		}
	}
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	if (restore_armed) {
		restore_armed = 0;
		write_patiently(restore.fd, restore.text, restore.len);
		tcsetattr(restore.fd, TCSANOW, &restore.found);
		vmt_aside_end(&restore.aside);
	}
	errno = saved;
	/* The handler is gone by now (SA_RESETHAND). What the processor found is found again, with
	 * the registers as they were; what was sent has to be sent again. */
	if (info->si_code <= 0 || !(sig == SIGSEGV || sig == SIGFPE || sig == SIGILL ||
				    (sig == SIGBUS && info->si_code != BUS_MCEERR_AO)))
		raise(sig);
}

static void catch_crashes(struct vmt_terminal *t)
{
	struct sigaction act = { .sa_sigaction = on_crash };
	const size_t size = 65536;
	stack_t stack;
	size_t i;

	/* A stack that is full is one of the crashes. */
	if (sigaltstack(NULL, &stack) == 0 && stack.ss_flags & SS_DISABLE) {
		t->stack = malloc(size);
		if (t->stack)
			sigaltstack(&(stack_t){ .ss_sp = t->stack, .ss_size = size }, NULL);
	}
	act.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
	/* SIGTTOU among them: the modes are put back from the background as well. */
	sigfillset(&act.sa_mask);
	for (i = 0; i < VMT_ARRAY_LEN(crashes); i++) {
		if (crashes[i] == SIGQUIT && sigaction(SIGQUIT, NULL, &t->old[i]) == 0 &&
		    t->old[i].sa_handler == SIG_IGN)
			continue;
		sigaction(crashes[i], &act, &t->old[i]);
	}
}

static void release_crashes(struct vmt_terminal *t)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(crashes); i++)
		sigaction(crashes[i], &t->old[i], NULL);
	if (t->stack)
		sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
	free(t->stack);
}

/* A variable of the environment, in a privileged run as well: what it says is looked at before it
 * is believed. */
static const char *variable(const char *name)
{
	size_t len = strlen(name);
	char **at;

	for (at = environ; at && *at; at++)
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at + len + 1;
	return NULL;
}

static bool is_name(const char *term)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_+.";
	size_t n = strspn(term, allowed);

	return n && !term[n] && n <= 64 && term[0] != '.';
}

/* The description of the kind of terminal that TERM names; -ENOENT. A privileged run takes it from
 * the places of the system only. */
static int describe(int fd, struct vmt_err *err)
{
	const char *term = variable("TERM"), *found = variable("HOME");
	bool privileged = geteuid() == 0 || getauxval(AT_SECURE);
	VMT_AUTO_FREE char *home = NULL;
	int status = 0, r;

	if (!term || !*term)
		return vmt_err_set(err, -ENOENT, NULL, 0, "TERM is not set");
	if (!is_name(term))
		return vmt_err_set(err, -ENOENT, NULL, 0, "TERM is no name of a terminal");
	if (privileged) {
		unsetenv("TERMINFO");
		unsetenv("TERMINFO_DIRS");
		unsetenv("TERMCAP");
		unsetenv("TERMPATH");
		home = found ? strdup(found) : NULL;
		if (found && !home)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
		unsetenv("HOME");
	}
	/* Nothing of a hostile description is used but through it; with status it does not end the
	 * program, as initscr() would. */
	r = setupterm(term, fd, &status);
	if (home)
		setenv("HOME", home, 1);
	if (r != OK)
		return vmt_err_set(err, -ENOENT, NULL, 0,
				   "no terminal '%s' is known here; TERM=xterm-256color may do",
				   term);
	return 0;
}

/* A capability of the terminal without its delays ("$<5/>"), which are of the time of teletypes;
 * *ret is NULL where it has none. 0 or -ENOMEM. */
static int capability(const char *name, char **ret)
{
	char *s = tigetstr(name);
	char *to, *end;

	*ret = NULL;
	if (!s || s == (char *)-1 || !*s)
		return 0;
	to = *ret = strdup(s);
	if (!to)
		return -ENOMEM;
	for (s = to; *s;) {
		if (s[0] == '$' && s[1] == '<' && (end = strchr(s, '>')))
			s = end + 1;
		else
			*to++ = *s++;
	}
	*to = 0;
	return 0;
}

/* Appends a capability, if the terminal has it. */
static void add_capability(struct vmt_buf *out, const char *name)
{
	VMT_AUTO_FREE char *s = NULL;

	if (capability(name, &s) == 0 && s)
		vmt_buf_adds(out, s);
}

static int learn_keys(struct vmt_input *in)
{
	static const struct {
		const char *name;
		uint32_t key;
	} keys[] = {
		{ "kcuu1", VMT_KEY_UP },      { "kcud1", VMT_KEY_DOWN },
		{ "kcub1", VMT_KEY_LEFT },    { "kcuf1", VMT_KEY_RIGHT },
		{ "kpp", VMT_KEY_PAGE_UP },   { "knp", VMT_KEY_PAGE_DOWN },
		{ "khome", VMT_KEY_HOME },    { "kend", VMT_KEY_END },
		{ "kich1", VMT_KEY_INSERT },  { "kdch1", VMT_KEY_DELETE },
		{ "kcbt", VMT_KEY_BACK_TAB }, { "kf1", VMT_KEY_F1 },
		{ "kf2", VMT_KEY_F1 + 1 },    { "kf3", VMT_KEY_F1 + 2 },
		{ "kf4", VMT_KEY_F1 + 3 },    { "kf5", VMT_KEY_F1 + 4 },
		{ "kf6", VMT_KEY_F1 + 5 },    { "kf7", VMT_KEY_F1 + 6 },
		{ "kf8", VMT_KEY_F1 + 7 },    { "kf9", VMT_KEY_F1 + 8 },
		{ "kf10", VMT_KEY_F10 },      { "kf11", VMT_KEY_F1 + 10 },
		{ "kf12", VMT_KEY_F12 },
	};
	size_t i;
	int r = 0;

	for (i = 0; i < VMT_ARRAY_LEN(keys) && r == 0; i++) {
		VMT_AUTO_FREE char *text = NULL;

		r = capability(keys[i].name, &text);
		if (r == 0 && text)
			r = vmt_input_learn(in, text, keys[i].key);
	}
	return r;
}

/* What makes the terminal write in each style, from any state. */
static int make_styles(struct vmt_terminal *t)
{
	static const struct {
		unsigned bit;
		const char *name;
	} attributes[] = {
		{ VMT_LOOK_BOLD, "bold" },
		{ VMT_LOOK_DIM, "dim" },
		{ VMT_LOOK_REVERSE, "rev" },
		{ VMT_LOOK_UNDERLINE, "smul" },
	};
	VMT_AUTO_FREE char *color = NULL;
	size_t s, i;

	if (capability("setaf", &color) < 0)
		return -ENOMEM;
	for (s = 0; s < VMT_STYLE_COUNT; s++) {
		int colors = color && t->opts.color ? t->caps.colors : 0;
		struct vmt_look look = vmt_theme_look(t->opts.theme, (enum vmt_style)s, colors);
		VMT_AUTO_BUF text = { 0 };

		vmt_buf_adds(&text, "");
		add_capability(&text, "sgr0");
		for (i = 0; i < VMT_ARRAY_LEN(attributes); i++)
			if (look.attributes & attributes[i].bit)
				add_capability(&text, attributes[i].name);
		if (look.color >= 0)
			vmt_buf_adds(&text, tiparm(color, look.color));
		if (vmt_buf_error(&text) < 0)
			return -ENOMEM;
		free(t->caps.styles[s]);
		t->caps.styles[s] = VMT_STEAL(text.data);
	}
	return 0;
}

static int learn(struct vmt_terminal *t, struct vmt_err *err)
{
	struct caps *c = &t->caps;
	VMT_AUTO_FREE char *mouse = NULL;

	if (capability("cup", &c->move) < 0 || capability("clear", &c->clear) < 0 ||
	    capability("el", &c->erase) < 0 || capability("kmous", &mouse) < 0 ||
	    learn_keys(&t->in) < 0)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	if (!c->move || !c->clear)
		return vmt_err_set(err, -EOPNOTSUPP, NULL, 0,
				   "a terminal of the kind '%s' shows no screens",
				   variable("TERM"));
	c->colors = tigetnum("colors");
	c->wraps = tigetflag("am") > 0 && tigetflag("xenl") <= 0;
	c->ansi = c->move[0] == '\033' && c->move[1] == '[';
	c->mouse = c->ansi && mouse;
	return make_styles(t) < 0 ? vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory") : 0;
}

/* The terminal under standard output, opened anew: whether it waits is of the open file, which the
 * shell has as well. */
static int open_again(struct vmt_err *err)
{
	int fd;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return vmt_err_set(err, -ENOTTY, NULL, 0,
				   "standard input and output are no terminal");
	fd = open("/proc/self/fd/1", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* It may be another user's, after su; the one that controls the process may still be
	 * opened. */
	if (fd < 0)
		fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return vmt_err_set(err, -errno, NULL, 0, "the terminal cannot be opened: %s",
				   vmt_errno_name(-errno));
	return fd;
}

static void free_terminal(struct vmt_terminal *t)
{
	size_t i;

	vmt_closep(&t->fd);
	vmt_input_done(&t->in);
	vmt_buf_done(&t->out);
	free(t->shown);
	free(t->caps.move);
	free(t->caps.clear);
	free(t->caps.erase);
	for (i = 0; i < VMT_STYLE_COUNT; i++)
		free(t->caps.styles[i]);
	if (cur_term)
		del_curterm(cur_term);
	free(t);
}

int vmt_terminal_open(const struct vmt_terminal_opts *opts, struct vmt_terminal **ret,
		      struct vmt_err *err)
{
	struct vmt_terminal *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	t->opts = *opts;
	r = t->fd = open_again(err);
	if (r >= 0)
		r = describe(t->fd, err);
	if (r >= 0)
		r = learn(t, err);
	if (r < 0) {
		free_terminal(t);
		return r;
	}
	catch_crashes(t);
	*ret = t;
	return 0;
}

void vmt_terminal_close(struct vmt_terminal *t)
{
	if (!t)
		return;
	vmt_terminal_leave(t);
	release_crashes(t);
	free_terminal(t);
}

int vmt_terminal_change(struct vmt_terminal *t, const struct vmt_terminal_opts *opts)
{
	if (t->entered && opts->mouse != t->opts.mouse && t->caps.mouse)
		vmt_buf_adds(&t->out,
			     opts->mouse ? "\033[?1000h\033[?1006h" : "\033[?1006l\033[?1000l");
	t->opts = *opts;
	vmt_terminal_redraw(t);
	return make_styles(t) < 0 || vmt_buf_error(&t->out) < 0 ? -ENOMEM : 0;
}

int vmt_terminal_fd(const struct vmt_terminal *t)
{
	return t->fd;
}

short vmt_terminal_poll(const struct vmt_terminal *t)
{
	return vmt_terminal_busy(t) ? POLLIN | POLLOUT : POLLIN;
}

int vmt_terminal_wait_ms(const struct vmt_terminal *t)
{
	return vmt_input_wait_ms(&t->in);
}

int vmt_terminal_read(struct vmt_terminal *t)
{
	size_t room;
	char *p = vmt_input_room(&t->in, &room);
	ssize_t n = read(t->fd, p, room);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	/* What hung up is at its end for ever. */
	if (n == 0)
		return -EIO;
	vmt_input_add(&t->in, (size_t)n);
	return 0;
}

bool vmt_terminal_event(struct vmt_terminal *t, struct vmt_ui_event *ret)
{
	return vmt_input_next(&t->in, ret);
}

bool vmt_terminal_silence(struct vmt_terminal *t, struct vmt_ui_event *ret)
{
	return vmt_input_silence(&t->in, ret);
}

int vmt_terminal_key_signal(const struct vmt_terminal *t, uint32_t key)
{
	const cc_t *cc = t->found.c_cc;

	if (!(t->found.c_lflag & ISIG) || key >= 0x80 || key == _POSIX_VDISABLE)
		return 0;
	if (key == cc[VINTR])
		return SIGINT;
	if (key == cc[VQUIT])
		return SIGQUIT;
	return key == cc[VSUSP] ? SIGTSTP : 0;
}

void vmt_terminal_size(const struct vmt_terminal *t, unsigned *ret_height, unsigned *ret_width)
{
	struct winsize size = { 0 };

	if (ioctl(t->fd, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col) {
		/* A serial line does not know. */
		size.ws_row = 24;
		size.ws_col = 80;
	}
	*ret_height = size.ws_row < HEIGHT_MAX ? size.ws_row : HEIGHT_MAX;
	*ret_width = size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

bool vmt_terminal_busy(const struct vmt_terminal *t)
{
	return t->out.len > 0;
}

int vmt_terminal_flush(struct vmt_terminal *t)
{
	while (t->sent < t->out.len) {
		ssize_t n = write(t->fd, t->out.data + t->sent, t->out.len - t->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -EIO;
		t->sent += (size_t)n;
	}
	vmt_buf_clear(&t->out);
	t->sent = 0;
	return 0;
}

void vmt_terminal_redraw(struct vmt_terminal *t)
{
	t->known = false;
}

/* What makes the screen the shell's again. */
static void add_restore(const struct vmt_terminal *t, struct vmt_buf *out)
{
	if (t->caps.ansi)
		vmt_buf_adds(out, "\033[?2004l");
	if (t->caps.mouse)
		vmt_buf_adds(out, "\033[?1006l\033[?1000l");
	add_capability(out, "sgr0");
	/* One that has no second screen keeps a clean one. */
	if (t->caps.clear)
		vmt_buf_adds(out, t->caps.clear);
	add_capability(out, "rmkx");
	add_capability(out, "cnorm");
	add_capability(out, "rmcup");
}

void vmt_terminal_leave(struct vmt_terminal *t)
{
	if (!t->entered)
		return;
	restore_armed = 0;
	t->entered = false;
	/* What was begun and is not needed any more is broken off. */
	write_patiently(t->fd, restore.text + (t->out.len ? 0 : 1),
			restore.len - (t->out.len ? 0 : 1));
	vmt_buf_clear(&t->out);
	t->sent = 0;
	t->known = false;
	/* In the background the modes are the shell's already. */
	if (tcgetpgrp(t->fd) == getpgrp()) {
		/* What was typed for us is no command for it. */
		tcflush(t->fd, TCIFLUSH);
		tcsetattr(t->fd, TCSANOW, &t->found);
	}
	vmt_aside_end(&restore.aside);
}

int vmt_terminal_enter(struct vmt_terminal *t, bool found)
{
	VMT_AUTO_BUF leave = { 0 };
	bool entered = t->entered;
	struct termios raw;

	if (found && tcgetattr(t->fd, &t->found) < 0)
		return -EIO;
	/* CAN ends a sequence that was begun (ECMA-48, 8.3.6). */
	vmt_buf_adds(&leave, "\030");
	add_restore(t, &leave);
	if (vmt_buf_error(&leave) < 0)
		return -ENOMEM;
	if (leave.len >= RESTORE_MAX)
		return -EIO;
	restore_armed = 0;
	atomic_signal_fence(memory_order_seq_cst);
	restore.fd = t->fd;
	restore.found = t->found;
	restore.len = leave.len;
	memcpy(restore.text, leave.data, restore.len);
	atomic_signal_fence(memory_order_seq_cst);
	restore_armed = 1;
	t->entered = true;
	vmt_aside_begin(&restore.aside);

	raw = t->found;
	/* Keys that send signals do so by us, and none stops the output: a paste may have them. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR | IGNCR | ISTRIP | PARMRK | BRKINT);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(t->fd, TCSANOW, &raw) < 0)
		return -EIO;
	/* It keeps the shell's cursor, once. */
	if (!entered)
		add_capability(&t->out, "smcup");
	add_capability(&t->out, "smkx");
	add_capability(&t->out, "civis");
	if (t->caps.ansi)
		vmt_buf_adds(&t->out, "\033[?2004h");
	if (t->caps.mouse && t->opts.mouse)
		vmt_buf_adds(&t->out, "\033[?1000h\033[?1006h");
	vmt_terminal_redraw(t);
	return vmt_buf_error(&t->out) < 0 ? -ENOMEM : vmt_terminal_flush(t);
}

static bool is_blank(const struct vmt_cell *cell)
{
	return cell->style == VMT_STYLE_NORMAL && cell->text[0] == ' ' && !cell->text[1];
}

static bool same(const struct vmt_cell *a, const struct vmt_cell *b)
{
	return a->width == b->width && a->style == b->style && strcmp(a->text, b->text) == 0;
}

/* Whether each terminal agrees on the width of what is in a cell. */
static bool is_sure(const struct vmt_cell *cell)
{
	uint32_t code = (unsigned char)cell->text[0];
	size_t n;

	if (code < 0x80)
		return !cell->text[1];
	n = vmt_utf8_take(vmt_bytes_of(cell->text), &code);
	if (cell->text[n])
		return false;
	/* Letters of Europe, and what our pictures are made of. */
	return code < 0x300 || (code >= 0x2500 && code < 0x25a0) || code == 0x2026;
}

static void go_to(struct vmt_terminal *t, unsigned y, unsigned x)
{
	if (t->placed && t->y == y && t->x == x)
		return;
	vmt_buf_adds(&t->out, tiparm(t->caps.move, (int)y, (int)x));
	t->placed = true;
	t->y = y;
	t->x = x;
}

static void set_style(struct vmt_terminal *t, uint8_t style)
{
	if (t->style == style)
		return;
	vmt_buf_adds(&t->out, t->caps.styles[style]);
	t->style = style;
}

static void put(struct vmt_terminal *t, const struct vmt_cell *cell)
{
	set_style(t, cell->style);
	vmt_buf_adds(&t->out, cell->text);
	t->x += cell->width;
	/* Behind the last column, and behind what it may think wider or narrower, the cursor may
	 * be anywhere. */
	t->placed = t->x < t->width && is_sure(cell);
}

/* Sends what is different in a line, and remembers it. */
static void show_line(struct vmt_terminal *t, unsigned y, const struct vmt_cell *now)
{
	struct vmt_cell *shown = t->shown + (size_t)y * t->width;
	unsigned end = t->width, used, x;

	if (memcmp(shown, now, t->width * sizeof(*now)) == 0)
		return;
	/* Cells in the last corner are not worth a screen that scrolls. */
	if (t->caps.wraps && y + 1 == t->height)
		end--;
	for (used = end; used && is_blank(&now[used - 1]); used--)
		;
	for (x = used; x < end && is_blank(&shown[x]); x++)
		;
	if (t->caps.erase && x < end && end - used >= ERASE_MIN) {
		go_to(t, y, used);
		set_style(t, VMT_STYLE_NORMAL);
		vmt_buf_adds(&t->out, t->caps.erase);
		for (x = used; x < end; x++)
			shown[x] = now[x];
	}
	for (x = 0; x < end; x++) {
		if (same(&shown[x], &now[x]))
			continue;
		/* The right half of a character is drawn by the left one. */
		if (!now[x].width) {
			shown[x] = now[x];
			continue;
		}
		if (t->placed && t->y == y && t->x < x && x - t->x <= GAP_MAX)
			while (t->placed && t->x < x && now[t->x].width)
				put(t, &now[t->x]);
		go_to(t, y, x);
		put(t, &now[x]);
		shown[x] = now[x];
	}
	memcpy(shown, now, t->width * sizeof(*now));
}

int vmt_terminal_show(struct vmt_terminal *t, const struct vmt_canvas *c)
{
	size_t n = (size_t)c->height * c->width, i;
	unsigned y;

	vmt_aside_trim(&restore.aside);
	if (vmt_terminal_busy(t))
		return -EAGAIN;
	if (!t->shown || c->height != t->height || c->width != t->width) {
		struct vmt_cell *cells = calloc(n + 1, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		free(t->shown);
		t->shown = cells;
		t->height = c->height;
		t->width = c->width;
		t->known = false;
	}
	t->placed = false;
	t->style = -1;
	if (!t->known) {
		set_style(t, VMT_STYLE_NORMAL);
		vmt_buf_adds(&t->out, t->caps.clear);
		for (i = 0; i < n; i++)
			t->shown[i] = (struct vmt_cell){ .text = " ", .width = 1 };
		t->known = true;
	}
	for (y = 0; y < c->height; y++)
		show_line(t, y, &c->cells[(size_t)y * c->width]);
	if (vmt_buf_error(&t->out) < 0) {
		vmt_buf_clear(&t->out);
		t->known = false;
		return -ENOMEM;
	}
	return vmt_terminal_flush(t);
}
