/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare FILE
 *
 * What the kernel itself takes for a file of every process: opens /proc/PID/FILE, reads it to its
 * end by 64 KiB and looks at nothing. Prints how many there were and their bytes to standard error.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buffer[64 * 1024];

int main(int argc, char **argv)
{
	uint64_t files = 0, bytes = 0;
	struct dirent *entry;
	DIR *proc;

	if (argc != 2) {
		fprintf(stderr, "usage: bare FILE\n");
		return 2;
	}
	proc = opendir("/proc");
	if (!proc) {
		perror("bare: /proc");
		return 1;
	}
	while ((entry = readdir(proc))) {
		char path[300];
		ssize_t got;
		int fd;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "%s/%s", entry->d_name, argv[1]);
		fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		files++;
		while ((got = read(fd, buffer, sizeof(buffer))) > 0)
			bytes += (uint64_t)got;
		close(fd);
	}
	closedir(proc);
	fprintf(stderr, "bare: %llu files, %llu bytes\n", (unsigned long long)files,
		(unsigned long long)bytes);
	return files ? 0 : 1;
}
