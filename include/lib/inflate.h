/* SPDX-License-Identifier: MIT */
/*
 * inflate: decoder for DEFLATE (RFC 1951) and gzip (RFC 1952).
 *
 * Input is one block of memory. Output goes to a callback in pieces of some 96 KiB, in order; the
 * pieces lie in the decoder's window and are valid during the call only. Hostile input gives an
 * error and never an access out of bounds; how much output a given input makes is limited by the
 * format to about 1032 times its size, the rest is up to the callback, which can stop the decoder.
 */
#ifndef LIB_INFLATE_H
#define LIB_INFLATE_H

#include "lib/types.h"

enum inflate_result {
	INFLATE_OK,
	INFLATE_NOT_GZIP,   /* no gzip header here */
	INFLATE_CORRUPT,    /* the input breaks the format */
	INFLATE_TRUNCATED,  /* the input ends too early */
	INFLATE_BAD_CRC,    /* all decoded, but the checksum differs */
	INFLATE_BAD_LENGTH, /* all decoded, but the length differs */
	INFLATE_STOPPED,    /* the callback did not return 0 */
};

#define INFLATE_HISTORY 32768
#define INFLATE_WINDOW	(4 * INFLATE_HISTORY) /* the fuller, the rarer the history moves */
#define INFLATE_SLACK	320		      /* room for one longest match, copied in wide steps */

#define INFLATE_LITERAL_BITS	 11 /* codes up to this length decode in one look-up */
#define INFLATE_DISTANCE_BITS	 8
#define INFLATE_LITERAL_ENTRIES	 2342
#define INFLATE_DISTANCE_ENTRIES 402

/* The decoder's memory, 140 KiB: the caller allocates it, nothing needs to be initialised. */
struct inflate {
	u8 window[INFLATE_WINDOW + INFLATE_SLACK];
	u32 literals[INFLATE_LITERAL_ENTRIES];
	u32 distances[INFLATE_DISTANCE_ENTRIES];
	u8 tail[64];
};

/* Returns 0 to go on. */
typedef int inflate_output(void *context, const void *data, size_t size);

/*
 * One gzip member, or one bare DEFLATE stream. *consumed (may be NULL) says how much input was
 * used, up to where the trouble is if there is any; more members or padding may follow it.
 */
enum inflate_result inflate_gzip(struct inflate *z, const void *in, size_t size, size_t *consumed,
				 inflate_output *output, void *context);
enum inflate_result inflate_raw(struct inflate *z, const void *in, size_t size, size_t *consumed,
				inflate_output *output, void *context);

/* Whether the block starts like a gzip member. */
bool inflate_is_gzip(const void *in, size_t size);

const char *inflate_result_name(enum inflate_result result);

#endif
