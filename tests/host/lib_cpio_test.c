/* SOURCES: lib/cpio.c */
/* SPDX-License-Identifier: MIT */
/*
 * cpio: both readers on the same archives, whole, in pieces and damaged.
 */
#include "lib/cpio.h"
#include "test.h"
#include <stdarg.h>
#include <string.h>

static u8 archive[65536];
static size_t archive_size;

static void
pad(void)
{
	while (archive_size % 4)
		archive[archive_size++] = 0;
}

static void
add_member(const char *magic, const char *name, const char *data, u32 size, u32 checksum)
{
	archive_size += (size_t)sprintf((char *)archive + archive_size,
					"%s%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
					magic, 7, 0100644, 1000, 100, 1, 1234567890, size, 8, 1, 5,
					6, (u32)strlen(name) + 1, checksum);
	strcpy((char *)archive + archive_size, name);
	archive_size += strlen(name) + 1;
	pad();
	memcpy(archive + archive_size, data, size);
	archive_size += size;
	pad();
}

static void
add_file(const char *name, const char *data)
{
	add_member("070701", name, data, (u32)strlen(data), 0);
}

static void
add_trailer(void)
{
	add_file("TRAILER!!!", "");
}

/* Writes down what a reader sees. */
static char seen[8192];
static size_t seen_size;

static void __printf(1, 2) note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	seen_size += (size_t)vsnprintf(seen + seen_size, sizeof(seen) - seen_size, format, args);
	va_end(args);
	seen_size = MIN(seen_size, sizeof(seen) - 1);
}

static int
note_member(void *context, const struct cpio_entry *entry)
{
	note("%s(", entry->name);
	return context && strcmp(entry->name, context) == 0;
}

static int
note_data(void *context, const void *data, size_t size)
{
	(void)context;
	note("%.*s", (int)size, (const char *)data);
	return 0;
}

static int
note_end(void *context)
{
	(void)context;
	note(")");
	return 0;
}

static int
note_trailer(void *context)
{
	(void)context;
	note(";");
	return 0;
}

static const struct cpio_stream_ops note_ops = {
	.member = note_member,
	.data = note_data,
	.end = note_end,
	.trailer = note_trailer,
};

/* Feeds the archive in random pieces, exactly allocated. */
static enum cpio_result
stream_in_pieces(size_t most, void *context)
{
	static struct cpio_stream s;
	enum cpio_result result;
	size_t at = 0;

	seen_size = 0;
	seen[0] = '\0';
	cpio_stream_init(&s, &note_ops, context);
	while (at < archive_size) {
		size_t part = MIN(1 + test_random_below(most), archive_size - at);
		u8 *copy = malloc(part);

		memcpy(copy, archive + at, part);
		result = cpio_stream_write(&s, copy, part);
		free(copy);
		if (result)
			return result;
		at += part;
	}
	return cpio_stream_finish(&s);
}

static void
cpio_next_reads_every_field(void)
{
	struct cpio_entry entry;
	size_t offset = 0;

	archive_size = 0;
	add_file("etc/a", "hello");
	add_member("070702", "b", "\1\2\377", 3, 1 + 2 + 255);
	add_file("empty", "");
	add_trailer();
	EXPECT(cpio_next(archive, archive_size, &offset, &entry) == CPIO_OK);
	EXPECT(strcmp(entry.name, "etc/a") == 0 && entry.size == 5 &&
	       memcmp(entry.data, "hello", 5) == 0);
	EXPECT(entry.ino == 7 && entry.mode == 0100644 && entry.uid == 1000 && entry.gid == 100);
	EXPECT(entry.nlink == 1 && entry.mtime == 1234567890 && entry.name_size == 6);
	EXPECT(entry.dev_major == 8 && entry.dev_minor == 1 && entry.rdev_major == 5 &&
	       entry.rdev_minor == 6);
	EXPECT(cpio_next(archive, archive_size, &offset, &entry) == CPIO_OK && entry.has_checksum);
	EXPECT(cpio_next(archive, archive_size, &offset, &entry) == CPIO_OK && entry.size == 0);
	EXPECT(cpio_next(archive, archive_size, &offset, &entry) == CPIO_END &&
	       offset == archive_size);
	EXPECT(cpio_next(archive, archive_size, &offset, &entry) == CPIO_TRUNCATED);
}

static void
cpio_stream_does_not_see_how_it_is_split(void)
{
	archive_size = 0;
	add_file("a", "one");
	add_file("dir/longer name", "four");
	add_file("e", "");
	add_member("070702", "sum", "AB", 2, 65 + 66);
	add_trailer();
	for (int step = 0; step < 500; step++) {
		EXPECT(stream_in_pieces(step ? 1 + test_random_below(200) : 65536, NULL) ==
		       CPIO_OK);
		EXPECT(strcmp(seen, "a(one)dir/longer name(four)e()sum(AB);") == 0);
	}
}

/* Zero bytes may lie between; alignment counts from the start of each archive. */
static void
cpio_stream_takes_archives_one_after_another(void)
{
	static u8 second[1024];
	size_t second_size;

	archive_size = 0;
	add_file("b", "22");
	add_trailer();
	memcpy(second, archive, second_size = archive_size);
	for (size_t gap = 0; gap < 600; gap += 1 + gap / 8) {
		archive_size = 0;
		add_file("a", "1");
		add_trailer();
		memset(archive + archive_size, 0, gap);
		memcpy(archive + archive_size + gap, second, second_size);
		archive_size += gap + second_size;
		EXPECT(stream_in_pieces(300, NULL) == CPIO_OK && strcmp(seen, "a(1);b(22);") == 0);
	}
}

static void
cpio_stream_may_end_without_padding(void)
{
	size_t whole;

	archive_size = 0;
	add_file("a", "1");
	add_trailer();
	whole = archive_size;
	for (archive_size = 1; archive_size <= whole; archive_size++) {
		enum cpio_result expected = archive_size < whole - 3 ? CPIO_TRUNCATED : CPIO_OK;

		EXPECT(stream_in_pieces(65536, NULL) == expected);
		EXPECT(stream_in_pieces(3, NULL) == expected);
	}
}

/* What is wrong, and where; both readers agree. */
static void
expect_error(enum cpio_result expected)
{
	struct cpio_entry entry;
	size_t offset = 0;
	enum cpio_result result;

	do {
		result = cpio_next(archive, archive_size, &offset, &entry);
	} while (result == CPIO_OK);
	EXPECT(result == expected);
	EXPECT(stream_in_pieces(100, NULL) == expected);
	EXPECT(cpio_result_name(result)[0]);
}

static void
cpio_errors_have_names(void)
{
	archive_size = 0;
	add_member("070707", "a", "", 0, 0);
	expect_error(CPIO_BAD_MAGIC);
	archive_size = 0;
	add_file("a", "");
	archive[20] = 'g';
	expect_error(CPIO_BAD_NUMBER);
	archive_size = 0;
	add_file("", "");
	expect_error(CPIO_BAD_NAME);
	archive_size = 0;
	add_file("abc", "");
	archive[111] = 0;
	expect_error(CPIO_BAD_NAME);
	archive_size = 0;
	add_file("abc", "");
	archive[113] = 'd';
	expect_error(CPIO_BAD_NAME);
	archive_size = 0;
	add_file("abc", "");
	memcpy(archive + 94, "00001001", 8);
	expect_error(CPIO_BAD_NAME);
	archive_size = 0;
	add_file("abc", "");
	memcpy(archive + 94, "FFFFFFFF", 8);
	expect_error(CPIO_BAD_NAME);
	archive_size = 0;
	add_member("070702", "abc", "A", 1, 66);
	expect_error(CPIO_BAD_CHECKSUM);
	archive_size = 0;
	add_file("abc", "A");
	memcpy(archive + 54, "FFFFFFFF", 8);
	expect_error(CPIO_TRUNCATED);
	archive_size = 0;
	add_file("abc", "A");
	expect_error(CPIO_TRUNCATED);
	archive_size = 50;
	expect_error(CPIO_TRUNCATED);
}

static void
cpio_stream_stops_when_told(void)
{
	archive_size = 0;
	add_file("a", "1");
	add_file("b", "2");
	add_trailer();
	EXPECT(stream_in_pieces(65536, "b") == CPIO_STOPPED && strcmp(seen, "a(1)b(") == 0);
}

/* Hostile archives: random damage, random ends; the sanitizers watch. */
static void
cpio_survives_damage(void)
{
	for (int step = 0; step < 20000; step++) {
		struct cpio_entry entry;
		size_t offset = 0, before;
		u8 *copy;

		archive_size = 0;
		add_file("first", "some data of a file");
		add_member("070702", "second/name", "xyz", 3, 'x' + 'y' + 'z');
		add_file("third", "");
		add_trailer();
		for (u64 n = test_random_below(4); n; n--) {
			size_t at = test_random_below(archive_size);

			archive[at] = test_random() & 1
					      ? (u8) "0123456789abcdefF"[test_random_below(17)]
					      : (u8)test_random();
		}
		if (test_random() & 1)
			archive_size = test_random_below(archive_size);
		copy = malloc(archive_size);
		memcpy(copy, archive, archive_size);
		do {
			before = offset;
			if (cpio_next(copy, archive_size, &offset, &entry) != CPIO_OK)
				break;
			EXPECT(offset > before && offset <= archive_size);
			EXPECT(entry.data + entry.size <= copy + archive_size);
			EXPECT(strlen(entry.name) + 1 == entry.name_size);
		} while (true);
		free(copy);
		stream_in_pieces(100, NULL);
	}
}

int
main(void)
{
	TEST(cpio_next_reads_every_field);
	TEST(cpio_stream_does_not_see_how_it_is_split);
	TEST(cpio_stream_takes_archives_one_after_another);
	TEST(cpio_stream_may_end_without_padding);
	TEST(cpio_errors_have_names);
	TEST(cpio_stream_stops_when_told);
	TEST(cpio_survives_damage);
	return test_done();
}
