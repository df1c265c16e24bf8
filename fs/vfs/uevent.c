/* SPDX-License-Identifier: MIT */
/*
 * Device events: the text that Linux's kobject_uevent sends, strings with a zero after each:
 * "ACTION@PATH", ACTION=, DEVPATH=, SUBSYSTEM=, the marks of an event that was asked for, the
 * device's properties, SEQNUM=.
 */
#include "fs/vfs/uevent.h"
#include "lib/atomic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define MESSAGE_MAX 2048u
#define UUID_LEN    36u

static const char *const actions[] = {
	[UEVENT_ADD] = "add",	[UEVENT_REMOVE] = "remove", [UEVENT_CHANGE] = "change",
	[UEVENT_MOVE] = "move", [UEVENT_ONLINE] = "online", [UEVENT_OFFLINE] = "offline",
	[UEVENT_BIND] = "bind", [UEVENT_UNBIND] = "unbind",
};

static struct atomic64 sequence;
void (*uevent_broadcast)(const char *text, u32 len);

u64
uevent_sequence(void)
{
	return (u64)atomic64_read(&sequence);
}

/* marks: more lines NAME=VALUE. */
static void
send(enum uevent_action action, const struct uevent *e, const char *marks)
{
	u64 number = (u64)atomic64_add_return(&sequence, 1);
	struct strbuf sb;
	char *buf;

	if (!uevent_broadcast)
		return;
	buf = kmalloc(MESSAGE_MAX, GFP_KERNEL);
	if (!buf)
		return;
	strbuf_init(&sb, buf, MESSAGE_MAX);
	strbuf_printf(&sb, "%s@%s\nACTION=%s\nDEVPATH=%s\nSUBSYSTEM=%s\n%s%sSEQNUM=%lu\n",
		      actions[action], e->path, actions[action], e->path, e->subsystem, marks,
		      e->properties, number);
	if (!sb.overflow) {
		for (u32 i = 0; i < sb.len; i++)
			if (buf[i] == '\n')
				buf[i] = 0;
		uevent_broadcast(buf, (u32)sb.len);
	}
	kfree(buf);
}

void
uevent_send(enum uevent_action action, const struct uevent *e)
{
	send(action, e, "");
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool
is_uuid(const char *s, size_t len)
{
	if (len != UUID_LEN)
		return false;
	for (u32 i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = is_alnum(s[i]) && (s[i] <= '9' || (s[i] | 0x20) <= 'f');

		if (dash ? s[i] != '-' : !hex)
			return false;
	}
	return true;
}

static bool
is_argument(const char *s, size_t len)
{
	size_t at = 0;

	while (at < len && is_alnum(s[at]))
		at++;
	if (!at || at + 1 >= len || s[at] != '=')
		return false;
	while (++at < len)
		if (!is_alnum(s[at]))
			return false;
	return true;
}

int
uevent_synthesize(const char *text, size_t len, const struct uevent *e)
{
	char marks[512];
	struct strbuf sb;
	u32 action, word = 0;
	size_t n = strcspn(text, " \n");

	for (action = 0; action < ARRAY_SIZE(actions); action++)
		if (strlen(actions[action]) == n && !memcmp(actions[action], text, n))
			break;
	if (action == ARRAY_SIZE(actions))
		return -EINVAL;
	strbuf_init(&sb, marks, sizeof(marks));
	for (text += n; *text == ' '; text += n, word++) {
		n = strcspn(++text, " \n");
		if (word ? !is_argument(text, n) : !is_uuid(text, n))
			return -EINVAL;
		strbuf_printf(&sb, word ? "SYNTH_ARG_%.*s\n" : "SYNTH_UUID=%.*s\n", (int)n, text);
	}
	if (!word)
		strbuf_puts(&sb, "SYNTH_UUID=0\n");
	if (sb.overflow)
		return -EINVAL;
	send((enum uevent_action)action, e, marks);
	return 0;
}
