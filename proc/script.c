/* SPDX-License-Identifier: MIT */
/*
 * "#!" scripts, execve(2) "Interpreter scripts".
 *
 * The first line, within the first 256 bytes, names the interpreter and at most one argument, which
 * may contain blanks. A path that is cut by the end of the buffer is refused; an argument is cut
 * silently.
 */
#include "lib/string.h"
#include "proc_internal.h"
#include "uapi/errno.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *
skip_blanks(char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s;
}

/* The end of a word. */
static char *
word_end(char *s, const char *end)
{
	while (s < end && !is_blank(*s) && *s)
		s++;
	return s;
}

int
script_load(struct exec *x)
{
	char line[EXEC_HEAD_SIZE];
	char *end, *name, *after, *argument = NULL;
	int r;

	if (x->head[0] != '#' || x->head[1] != '!')
		return -ENOEXEC;
	memcpy(line, x->head, sizeof(line));
	line[sizeof(line) - 1] = '\0';

	end = memchr(line + 2, '\n', sizeof(line) - 3);
	name = skip_blanks(line + 2, end ? end : line + sizeof(line) - 1);
	if (!end) {
		end = line + sizeof(line) - 1;
		if (name == end || word_end(name, end) == end)
			return -ENOEXEC;
	}
	while (end > name && is_blank(end[-1]))
		end--;
	*end = '\0';
	if (name == end || !*name)
		return -ENOEXEC;
	after = word_end(name, end);
	if (is_blank(*after)) {
		*after = '\0';
		argument = skip_blanks(after + 1, end);
		if (!*argument)
			argument = NULL;
	}
	if (x->inaccessible)
		return -ENOENT;

	/*
	 * interpreter [argument] script, in the place of argv[0]: which of the first script is
	 * whatever the caller chose, and of an interpreter that is itself a script its name
	 * already.
	 */
	r = 0;
	if (!x->in_script) {
		exec_drop_first(x);
		r = exec_push_front(x, x->filename);
	}
	x->in_script = true;
	if (r == 0 && argument)
		r = exec_push_front(x, argument);
	if (r == 0)
		r = exec_push_front(x, name);
	if (r == 0)
		r = exec_open_by_name(x, name);
	return r ? r : 1;
}
