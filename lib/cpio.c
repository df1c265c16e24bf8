/* SPDX-License-Identifier: MIT */
/*
 * cpio: the newc archive format.
 *
 * A member is a header of 110 characters (the magic and 13 numbers of 8 hexadecimal digits), the
 * name with its NUL, padding to a multiple of 4, the data, padding again; offsets count from the
 * start of the archive. The member named TRAILER!!! ends the archive.
 */
#include "lib/cpio.h"
#include "lib/string.h"

#define TRAILER "TRAILER!!!"

static bool
read_hex(const u8 *digits, u32 *value)
{
	*value = 0;
	for (int i = 0; i < 8; i++) {
		u8 c = digits[i], lower = c | 0x20;

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (lower >= 'a' && lower <= 'f')
			c = (u8)(lower - 'a' + 10);
		else
			return false;
		*value = *value << 4 | c;
	}
	return true;
}

enum cpio_result
cpio_parse_header(const u8 header[CPIO_HEADER_SIZE], struct cpio_entry *entry)
{
	u32 *const fields[13] = {
		&entry->ino,	   &entry->mode,       &entry->uid,	   &entry->gid,
		&entry->nlink,	   &entry->mtime,      &entry->size,	   &entry->dev_major,
		&entry->dev_minor, &entry->rdev_major, &entry->rdev_minor, &entry->name_size,
		&entry->checksum,
	};

	if (memcmp(header, "07070", 5) != 0 || (header[5] != '1' && header[5] != '2'))
		return CPIO_BAD_MAGIC;
	entry->has_checksum = header[5] == '2';
	entry->name = NULL;
	entry->data = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!read_hex(header + 6 + 8 * i, fields[i]))
			return CPIO_BAD_NUMBER;
	}
	/* The NUL counts. */
	if (entry->name_size < 2 || entry->name_size > CPIO_NAME_MAX)
		return CPIO_BAD_NAME;
	return CPIO_OK;
}

static bool
name_is_valid(const char *name, size_t size)
{
	return memchr(name, 0, size) == name + size - 1;
}

static u32
sum_bytes(u32 sum, const u8 *p, size_t size)
{
	while (size--)
		sum += *p++;
	return sum;
}

enum cpio_result
cpio_next(const void *archive, size_t size, size_t *offset, struct cpio_entry *entry)
{
	const u8 *base = archive;
	size_t at = *offset;
	enum cpio_result result;

	if (at > size || size - at < CPIO_HEADER_SIZE)
		return CPIO_TRUNCATED;
	result = cpio_parse_header(base + at, entry);
	if (result)
		return result;
	at += CPIO_HEADER_SIZE;
	if (size - at < entry->name_size)
		return CPIO_TRUNCATED;
	entry->name = (const char *)base + at;
	if (!name_is_valid(entry->name, entry->name_size))
		return CPIO_BAD_NAME;
	at = ALIGN_UP(at + entry->name_size, 4);
	if (strcmp(entry->name, TRAILER) == 0) {
		*offset = MIN(at, size);
		return CPIO_END;
	}
	if (at > size || size - at < entry->size)
		return CPIO_TRUNCATED;
	entry->data = base + at;
	if (entry->has_checksum && sum_bytes(0, entry->data, entry->size) != entry->checksum)
		return CPIO_BAD_CHECKSUM;
	/* The padding behind the last data may be missing. */
	*offset = MIN(ALIGN_UP(at + entry->size, 4), size);
	return CPIO_OK;
}

/* ---- stream ---- */

/* A member passes through these in order; GAP is before a header. */
enum phase { GAP, HEADER, NAME, NAME_PADDING, DATA, DATA_PADDING };

/* What has not been looked at of a piece of the stream. */
struct piece {
	const u8 *at;
	size_t size;
};

void
cpio_stream_init(struct cpio_stream *s, const struct cpio_stream_ops *ops, void *context)
{
	s->ops = ops;
	s->context = context;
	s->phase = GAP;
	s->in_archive = false;
	s->fill = 0;
	s->left = 0;
	s->sum = 0;
	s->position = 0;
}

/* Takes up to count bytes; returns how many. */
static u32
stream_take(struct cpio_stream *s, struct piece *in, u32 count)
{
	u32 part = (u32)MIN(in->size, (size_t)count);

	in->at += part;
	in->size -= part;
	s->position += part;
	return part;
}

/* Collects a header or name of the given size; true when it is complete. */
static bool
stream_collect(struct cpio_stream *s, void *to, u32 size, struct piece *in)
{
	const u8 *from = in->at;
	u32 part = stream_take(s, in, size - s->fill);

	memcpy((u8 *)to + s->fill, from, part);
	s->fill += part;
	return s->fill == size;
}

/* Skips what is left; true when it is done. */
static bool
stream_skip(struct cpio_stream *s, struct piece *in)
{
	s->left -= stream_take(s, in, s->left);
	return s->left == 0;
}

static void
stream_pad(struct cpio_stream *s, enum phase phase)
{
	s->phase = (u8)phase;
	s->left = -(u32)s->position & 3;
}

/* The name is complete: tell the receiver about the member, or that there are no more. */
static enum cpio_result
stream_member(struct cpio_stream *s)
{
	if (!name_is_valid(s->name, s->entry.name_size))
		return CPIO_BAD_NAME;
	if (strcmp(s->name, TRAILER) == 0) {
		s->in_archive = false;
		s->phase = GAP;
		return s->ops->trailer && s->ops->trailer(s->context) ? CPIO_STOPPED : CPIO_OK;
	}
	s->entry.name = s->name;
	s->sum = 0;
	stream_pad(s, NAME_PADDING);
	return s->ops->member(s->context, &s->entry) ? CPIO_STOPPED : CPIO_OK;
}

/* Passes data on; at its end the member is complete. */
static enum cpio_result
stream_data(struct cpio_stream *s, struct piece *in)
{
	const u8 *from = in->at;
	u32 part = stream_take(s, in, s->left);

	if (s->entry.has_checksum)
		s->sum = sum_bytes(s->sum, from, part);
	s->left -= part;
	if (part && s->ops->data(s->context, from, part))
		return CPIO_STOPPED;
	if (s->left)
		return CPIO_OK;
	if (s->entry.has_checksum && s->sum != s->entry.checksum)
		return CPIO_BAD_CHECKSUM;
	stream_pad(s, DATA_PADDING);
	return s->ops->end(s->context) ? CPIO_STOPPED : CPIO_OK;
}

enum cpio_result
cpio_stream_write(struct cpio_stream *s, const void *data, size_t size)
{
	struct piece in = { .at = data, .size = size };
	enum cpio_result result = CPIO_OK;

	/* Phases that need no byte, such as the data of an empty file, pass without one. */
	while (result == CPIO_OK) {
		switch ((enum phase)s->phase) {
		case GAP:
			if (!in.size)
				return CPIO_OK;
			if (!s->in_archive && *in.at == 0) {
				stream_take(s, &in, 1);
				continue;
			}
			if (!s->in_archive)
				s->position = 0;
			s->in_archive = true;
			s->phase = HEADER;
			s->fill = 0;
			break;
		case HEADER:
			if (!stream_collect(s, s->header, CPIO_HEADER_SIZE, &in))
				return CPIO_OK;
			result = cpio_parse_header(s->header, &s->entry);
			s->phase = NAME;
			s->fill = 0;
			break;
		case NAME:
			if (!stream_collect(s, s->name, s->entry.name_size, &in))
				return CPIO_OK;
			result = stream_member(s);
			break;
		case NAME_PADDING:
			if (!stream_skip(s, &in))
				return CPIO_OK;
			s->phase = DATA;
			s->left = s->entry.size;
			break;
		case DATA:
			result = stream_data(s, &in);
			if (result == CPIO_OK && s->phase == DATA)
				return CPIO_OK;
			break;
		case DATA_PADDING:
			if (!stream_skip(s, &in))
				return CPIO_OK;
			s->phase = GAP;
			break;
		}
	}
	return result;
}

enum cpio_result
cpio_stream_finish(const struct cpio_stream *s)
{
	return s->in_archive ? CPIO_TRUNCATED : CPIO_OK;
}

const char *
cpio_result_name(enum cpio_result result)
{
	static const char *const names[] = {
		[CPIO_OK] = "no error",
		[CPIO_END] = "end of archive",
		[CPIO_BAD_MAGIC] = "not a newc archive (bad magic)",
		[CPIO_BAD_NUMBER] = "header field is not a hexadecimal number",
		[CPIO_BAD_NAME] = "bad member name",
		[CPIO_BAD_CHECKSUM] = "wrong checksum",
		[CPIO_TRUNCATED] = "archive ends too early",
		[CPIO_STOPPED] = "stopped by the receiver",
	};

	return names[result];
}
