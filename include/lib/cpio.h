/* SPDX-License-Identifier: MIT */
/*
 * cpio: reader of the "newc" archive format (magic 070701, and 070702 with a checksum), the format
 * of an initramfs.
 *
 * Pure parsing. cpio_next walks over an archive in one block of memory. cpio_stream takes the
 * archive in pieces of any size, as inflate delivers it, and calls back for each member; it also
 * accepts what Linux accepts: several archives one after another with zero bytes between them.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include "lib/types.h"

#define CPIO_HEADER_SIZE 110
#define CPIO_NAME_MAX	 4096 /* with the terminating NUL: PATH_MAX */

enum cpio_result {
	CPIO_OK,
	CPIO_END, /* the trailer was read: the archive is complete */
	CPIO_BAD_MAGIC,
	CPIO_BAD_NUMBER,   /* a header field is not hexadecimal */
	CPIO_BAD_NAME,	   /* empty, too long, unterminated or with a NUL inside */
	CPIO_BAD_CHECKSUM, /* 070702 only */
	CPIO_TRUNCATED,
	CPIO_STOPPED, /* a callback of cpio_stream did not return 0 */
};

struct cpio_entry {
	u32 ino, mode, uid, gid, nlink, mtime;
	u32 dev_major, dev_minor, rdev_major, rdev_minor;
	u32 size;      /* of data */
	u32 name_size; /* with the terminating NUL */
	u32 checksum;  /* sum of the data bytes, if has_checksum */
	bool has_checksum;
	const char *name; /* terminated */
	const u8 *data;	  /* cpio_next only */
};

/* The fixed header only: CPIO_OK, CPIO_BAD_MAGIC, CPIO_BAD_NUMBER or CPIO_BAD_NAME (its size). */
enum cpio_result cpio_parse_header(const u8 header[CPIO_HEADER_SIZE], struct cpio_entry *entry);

/*
 * The member at *offset, which moves past it. name and data point into the archive. At CPIO_END
 * *offset is past the trailer; after an error it stays, at the member that is wrong.
 */
enum cpio_result
cpio_next(const void *archive, size_t size, size_t *offset, struct cpio_entry *entry);

/* Each slot returns 0 to go on; member comes first, then data in pieces, then end. */
struct cpio_stream_ops {
	int (*member)(void *context, const struct cpio_entry *entry);
	int (*data)(void *context, const void *data, size_t size);
	int (*end)(void *context);
	int (*trailer)(void *context); /* an archive is complete; NULL = nothing to do */
};

struct cpio_stream {
	const struct cpio_stream_ops *ops;
	void *context;
	u8 phase;
	bool in_archive; /* between the first header and the trailer */
	u32 fill;	 /* bytes of the current header or name so far */
	u32 left;	 /* bytes of data or padding to come */
	u32 sum;
	u64 position; /* in the archive */
	struct cpio_entry entry;
	u8 header[CPIO_HEADER_SIZE];
	char name[CPIO_NAME_MAX];
};

void cpio_stream_init(struct cpio_stream *s, const struct cpio_stream_ops *ops, void *context);

/* CPIO_OK, or what is wrong; after that the stream is dead. */
enum cpio_result cpio_stream_write(struct cpio_stream *s, const void *data, size_t size);

/* CPIO_OK if the stream may end here, else CPIO_TRUNCATED. */
enum cpio_result cpio_stream_finish(const struct cpio_stream *s);

const char *cpio_result_name(enum cpio_result result);

#endif
