/* SPDX-License-Identifier: MIT */
/* The tests inside the kernel by name. */
#include "tests/selftest.h"

#include "core/log.h"
#include "lib/string.h"
#include "lib/types.h"

static const struct {
	const char *name;
	void (*run)(void);
} selftests[] = {
	{ "sched", selftest_sched },
	{ "journal", selftest_journal },
};

void
selftest_run(const char *names)
{
	while (*names) {
		const char *end = strchr(names, ',');
		size_t len = end ? (size_t)(end - names) : strlen(names), found = 0;

		for (u32 i = 0; i < ARRAY_SIZE(selftests); i++) {
			if (strlen(selftests[i].name) != len ||
			    strncmp(selftests[i].name, names, len))
				continue;
			selftests[i].run();
			found++;
		}
		if (!found)
			log_err("selftest: there is no %.*s\n", (int)len, names);
		names += len + (end != NULL);
	}
}
