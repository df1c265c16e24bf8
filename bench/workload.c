/* SPDX-License-Identifier: MIT */
/* Rows of work as people do it: pipelines, archives, sorting, searching, with the image's own
 * BusyBox. */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A text of that many lines, the same every time. */
static void
write_text(const char *path, int lines)
{
	static const char *const words[] = { "apple",  "pear", "quince", "plum",
					     "cherry", "fig",  "sloe" };
	FILE *file = fopen(path, "w");
	unsigned int state = 1;

	if (file == NULL)
		bench_fail(path);
	for (int line = 0; line < lines; line++) {
		state = state * 1103515245 + 12345;
		fprintf(file, "%s %u %s\n", words[state >> 16 & 3], state >> 8 & 0xffff,
			words[(state >> 20) % 7]);
	}
	fclose(file);
}

/* Directories d0, d1... below path, with that many files each. */
static void
make_tree(const char *path, int directories, int files, size_t size)
{
	static char data[8192];
	char name[96];

	memset(data, 'k', sizeof(data));
	mkdir(path, 0755);
	for (int i = 0; i < directories; i++) {
		snprintf(name, sizeof(name), "%s/d%d", path, i);
		mkdir(name, 0755);
		for (int j = 0; j < files; j++) {
			snprintf(name, sizeof(name), "%s/d%d/file%d.txt", path, i, j);
			bench_write_file(name, data, size);
		}
	}
}

static void
repeat(struct bench *bench, const char *script)
{
	bench_shell(script);
	BENCH_LOOP(bench)
	bench_shell(script);
}

static void
run_pipe_grep(struct bench *bench)
{
	write_text("/tmp/text", 300);
	repeat(bench, "grep apple /tmp/text >/dev/null");
}

static void
run_sed_pipeline(struct bench *bench)
{
	write_text("/tmp/text", 200);
	repeat(bench, "sed -e 's/apple/orange/' -e '/fig/d' /tmp/text | cat >/dev/null");
}

static void
run_sort_uniq(struct bench *bench)
{
	write_text("/tmp/text", 500);
	repeat(bench, "cut -d' ' -f1 /tmp/text | sort | uniq -c | sort -rn >/dev/null");
}

static void
run_tar_extract(struct bench *bench)
{
	make_tree("/tmp/small", 2, 10, 600);
	bench_shell("tar cf /tmp/small.tar -C /tmp small");
	repeat(bench, "rm -rf /tmp/out; mkdir /tmp/out; tar xf /tmp/small.tar -C /tmp/out");
}

static void
run_shell_loop(struct bench *bench)
{
	repeat(bench, "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done");
}

static void
run_shell_forks(struct bench *bench)
{
	repeat(bench, "i=0; while [ $i -lt 20 ]; do x=$(echo $i); i=$((i+1)); done");
}

static void
run_shell_programs(struct bench *bench)
{
	repeat(bench, "i=0; while [ $i -lt 20 ]; do /bin/true; i=$((i+1)); done");
}

static void
run_tar_tree(struct bench *bench)
{
	make_tree("/tmp/tree", 20, 25, 4000);
	repeat(bench, "tar cf /tmp/tree.tar -C /tmp tree");
}

static void
run_gzip(struct bench *bench)
{
	write_text("/tmp/text", 10000);
	repeat(bench, "gzip -c /tmp/text > /tmp/text.gz");
}

static void
run_sort_large(struct bench *bench)
{
	write_text("/tmp/text", 10000);
	repeat(bench, "sort /tmp/text > /tmp/sorted");
}

static void
run_find_10000(struct bench *bench)
{
	make_tree("/tmp/wide", 100, 100, 1);
	repeat(bench, "find /tmp/wide -name '*5.txt' >/dev/null");
	bench_shell("rm -rf /tmp/wide");
}

static void
run_du_rm(struct bench *bench)
{
	make_tree("/tmp/gone", 5, 20, 100);
	repeat(bench, "cp -r /tmp/gone /tmp/gone2; du -s /tmp/gone2; rm -rf /tmp/gone2");
}

const struct row workload_rows[] = {
	{ "pipe_grep", run_pipe_grep, 10 },
	{ "sed_pipeline", run_sed_pipeline, 10 },
	{ "sort_uniq", run_sort_uniq, 5 },
	{ "tar_extract", run_tar_extract, 5 },
	{ "shell_loop", run_shell_loop, 1 },
	{ "shell_forks", run_shell_forks, 3 },
	{ "shell_programs", run_shell_programs, 2 },
	{ "tar_tree", run_tar_tree, 1 },
	{ "gzip", run_gzip, 1 },
	{ "sort_large", run_sort_large, 1 },
	{ "find_10000", run_find_10000, 1 },
	{ "copy_remove", run_du_rm, 2 },
	{ 0 },
};
