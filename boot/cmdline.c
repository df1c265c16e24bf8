/* SPDX-License-Identifier: MIT */
/*
 * The kernel command line, bootparam(7) and Linux's kernel-parameters.
 *
 * Words are separated by white space; double quotes keep it and are dropped. A word of the kernel
 * is found in the table below; after "--", and for everything else, it is init's: NAME=VALUE goes
 * into the environment, a bare word becomes an argument, a word with a dot in its name is some
 * module's and is dropped. A value that makes no sense is named on the console and ignored.
 */
#include "boot/options.h"

#include "core/bootinfo.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "drivers/serial/serial.h"
#include "lib/string.h"

struct boot_options boot_options = {
	.max_cpus = MAX_CPUS,
	.argv = { "init" },
	.envp = { "HOME=/", "TERM=linux" },
};

static char words[sizeof(boot_info.cmdline)];
static u32 argc = 1, envc = 2; /* argv[0] is the program's name */

static bool
number(const char *value, u64 max, u64 *out)
{
	return value && parse_u64(value, 0, out) == 0 && *out <= max;
}

static bool
set_string(const char **to, const char *value)
{
	if (!value || !*value)
		return false;
	*to = value;
	return true;
}

static bool
set_init(const char *value)
{
	return set_string(&boot_options.init, value);
}

static bool
set_rdinit(const char *value)
{
	return set_string(&boot_options.rdinit, value);
}

static bool
set_root(const char *value)
{
	return set_string(&boot_options.root, value);
}

static bool
set_root_type(const char *value)
{
	return set_string(&boot_options.rootfstype, value);
}

static bool
set_root_flags(const char *value)
{
	return set_string(&boot_options.rootflags, value);
}

static bool
set_selftest(const char *value)
{
	return set_string(&boot_options.selftest, value);
}

static bool
set_root_wait(const char *value)
{
	boot_options.root_wait = true;
	return true;
}

static bool
set_root_delay(const char *value)
{
	u64 seconds;

	if (!number(value, 3600, &seconds))
		return false;
	boot_options.root_delay = (u32)seconds;
	return true;
}

static bool
set_read_only(const char *value)
{
	boot_options.read_write = false;
	return !value;
}

static bool
set_read_write(const char *value)
{
	boot_options.read_write = true;
	return !value;
}

/* "ttyS0,115200n8". May be given more than once: each gets the log, the last one is /dev/console.
 */
static bool
set_console(const char *value)
{
	char *comma;

	if (!value || !*value)
		return false;
	serial_console(value);
	comma = strchr(value, ',');
	if (comma)
		*comma = '\0';
	boot_options.console = value;
	return true;
}

static bool
set_quiet(const char *value)
{
	log_set_console_level(LOG_WARNING);
	return !value;
}

static bool
set_profile(const char *value)
{
	u64 hz;

	if (value && strcmp(value, "calls") == 0) {
		boot_options.profile_calls = true;
		return true;
	}
	if (!number(value, 10000, &hz))
		return false;
	boot_options.profile_hz = (u32)hz;
	return true;
}

static bool
set_debug(const char *value)
{
	log_set_console_level(10);
	return !value;
}

static bool
set_log_level(const char *value)
{
	u64 level;

	if (!number(value, 15, &level))
		return false;
	log_set_console_level((int)level);
	return true;
}

static bool
set_panic(const char *value)
{
	s64 seconds;

	if (!value || parse_s64(value, 10, &seconds) || seconds < -1 || seconds > 86400)
		return false;
	panic_timeout = (int)seconds;
	return true;
}

static bool
set_max_cpus(const char *value)
{
	u64 count;

	if (!number(value, UINT32_MAX, &count))
		return false;
	/* 0 means what 1 does: no other CPU. */
	boot_options.max_cpus = (u32)CLAMP(count, 1ul, (u64)MAX_CPUS);
	return true;
}

static bool
set_no_smp(const char *value)
{
	boot_options.max_cpus = 1;
	return !value;
}

static bool
set_memory(const char *value)
{
	const char *end;
	u64 bytes;

	if (!value)
		return false;
	bytes = parse_size(value, &end);
	if (end == value || *end || !bytes)
		return false;
	boot_options.memory_limit = bytes;
	return true;
}

/* Words that ask for what is so anyway, or for what there is nothing to choose about. */
static bool
accept(const char *value)
{
	return true;
}

static const struct {
	const char *name;
	bool (*set)(const char *value); /* value NULL: no "=" */
} kernel_words[] = {
	{ "init", set_init },
	{ "rdinit", set_rdinit },
	{ "root", set_root },
	{ "rootfstype", set_root_type },
	{ "rootflags", set_root_flags },
	{ "rootdelay", set_root_delay },
	{ "rootwait", set_root_wait },
	{ "ro", set_read_only },
	{ "rw", set_read_write },
	{ "console", set_console },
	{ "earlycon", accept },
	{ "earlyprintk", accept },
	{ "selftest", set_selftest },
	{ "quiet", set_quiet },
	{ "profile", set_profile },
	{ "debug", set_debug },
	{ "loglevel", set_log_level },
	{ "panic", set_panic },
	{ "maxcpus", set_max_cpus },
	{ "nr_cpus", set_max_cpus },
	{ "nosmp", set_no_smp },
	{ "mem", set_memory },
	{ "mitigations", accept },
	{ "nokaslr", accept },
	{ "reboot", accept },
	{ "noapic", accept },
	{ "nomodules", accept },
	{ "pci", accept },
	{ "i8042.noaux", accept },
	{ "random.trust_cpu", accept },
	{ "tsc", accept },
	{ "selinux", accept },
	{ "apparmor", accept },
	{ "audit", accept },
};

static void
give_to_init(char *word, bool has_value)
{
	if (has_value && envc < BOOT_WORDS_MAX + 3) {
		/* A variable given twice has its last value. */
		size_t name = (size_t)(strchr(word, '=') - word) + 1;

		for (u32 i = 0; i < envc; i++)
			if (strncmp(boot_options.envp[i], word, name) == 0) {
				boot_options.envp[i] = word;
				return;
			}
		boot_options.envp[envc++] = word;
	} else if (!has_value && argc < BOOT_WORDS_MAX + 1) {
		boot_options.argv[argc++] = word;
	} else {
		log_warn("command line: too many words for init: \"%s\"\n", word);
	}
}

/* Dashes and underscores in names are the same. */
static bool
name_equal(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	return b[len] == '\0';
}

static void
word_use(char *word)
{
	char *equals = strchr(word, '=');
	size_t name = equals ? (size_t)(equals - word) : strlen(word);

	for (u32 i = 0; i < ARRAY_SIZE(kernel_words); i++) {
		if (!name_equal(word, kernel_words[i].name, name))
			continue;
		if (!kernel_words[i].set(equals ? equals + 1 : NULL))
			log_err("command line: \"%s\" makes no sense and is ignored\n", word);
		return;
	}
	if (memchr(word, '.', name))
		return;
	give_to_init(word, equals != NULL);
}

/* The next word at *text, with its quotes dropped; NULL at the end. */
static char *
word_next(char **text)
{
	char *from = skip_spaces(*text), *word = from, *to = from;
	bool quoted = false;

	if (!*from)
		return NULL;
	for (; *from && (quoted || !strchr(" \t\n\r", *from)); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*text = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

void
cmdline_parse(void)
{
	char *text = words, *word;
	bool for_init = false;

	strscpy(words, boot_info.cmdline, sizeof(words));
	while ((word = word_next(&text))) {
		if (strcmp(word, "--") == 0)
			for_init = true;
		else if (for_init)
			give_to_init(word, false);
		else
			word_use(word);
	}
}
