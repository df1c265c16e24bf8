/* SPDX-License-Identifier: MIT */
/* personality(2): flags that exec, mmap and uname read. Execution domains other than Linux's are
 * stored, as Linux does, and change nothing. */
#include "generated/syscalls.h"
#include "task/task.h"

long
sys_personality(unsigned int persona)
{
	struct task *t = current;
	u32 old = t->personality;

	if (persona != 0xffffffffu)
		t->personality = persona;
	return old;
}
