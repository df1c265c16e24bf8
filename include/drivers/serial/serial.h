/* SPDX-License-Identifier: MIT */
/* Serial lines: 16550 UARTs, ttyS0 to ttyS3. */
#ifndef DRIVERS_SERIAL_H
#define DRIVERS_SERIAL_H

/* Probe the four standard ports; each found becomes a terminal, the console's one takes the log
 * over. */
void serial_init(void);
/* A value of console=, before that: "ttyS1", "ttyS0,9600n8". One that names no line is no concern
 * of ours. */
void serial_console(const char *value);

#endif
