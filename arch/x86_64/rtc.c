/* SPDX-License-Identifier: MIT */
/* The battery clock of the PC (MC146818): read at boot, and by /dev/rtc0. */
#include "acpi.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/io.h"
#include "x86.h"

#define REG_SECOND 0x00
#define REG_MINUTE 0x02
#define REG_HOUR   0x04
#define REG_DAY	   0x07
#define REG_MONTH  0x08
#define REG_YEAR   0x09
#define REG_A	   0x0a
#define REG_B	   0x0b
#define A_UPDATING 0x80
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define B_SET	   0x80 /* updates stop while it is being set */
#define HOUR_PM	   0x80

struct rtc_time {
	u32 second, minute, hour, day, month, year, century;
};

static u8
cmos_read(u8 reg)
{
	arch_out8(0x70, reg | 0x80); /* with NMI off, as it was */
	return arch_in8(0x71);
}

static void
cmos_write(u8 reg, u32 value)
{
	arch_out8(0x70, reg | 0x80);
	arch_out8(0x71, (u8)value);
}

static struct rtc_time
rtc_sample(void)
{
	for (u32 i = 0; i < 100000 && cmos_read(REG_A) & A_UPDATING; i++)
		arch_cpu_relax();
	return (struct rtc_time){
		cmos_read(REG_SECOND),
		cmos_read(REG_MINUTE),
		cmos_read(REG_HOUR),
		cmos_read(REG_DAY),
		cmos_read(REG_MONTH),
		cmos_read(REG_YEAR),
		acpi_fixed.century ? cmos_read(acpi_fixed.century) : 0,
	};
}

static u32
bcd(u32 value)
{
	return (value >> 4) * 10 + (value & 15);
}

static u32
to_bcd(u32 value)
{
	return value / 10 << 4 | value % 10;
}

/* Days since 1970-01-01 of a Gregorian date; years begin in March here, so that leap days come
 * last. */
static u64
days_of(u64 year, u32 month, u32 day)
{
	u64 y = month <= 2 ? year - 1 : year;
	u64 m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

u64
arch_rtc_read(void)
{
	struct rtc_time t, again;
	u8 mode = cmos_read(REG_B);
	bool pm;
	u64 year;

	/* Two equal readings are not torn by an update. */
	for (u32 i = 0; i < 10; i++) {
		t = rtc_sample();
		again = rtc_sample();
		if (t.second == again.second && t.minute == again.minute && t.hour == again.hour &&
		    t.day == again.day)
			break;
	}
	pm = t.hour & HOUR_PM && !(mode & B_24_HOURS);
	t.hour &= ~(u32)HOUR_PM;
	if (!(mode & B_BINARY))
		t = (struct rtc_time){ bcd(t.second), bcd(t.minute), bcd(t.hour),   bcd(t.day),
				       bcd(t.month),  bcd(t.year),   bcd(t.century) };
	if (!(mode & B_24_HOURS))
		t.hour = t.hour % 12 + (pm ? 12 : 0);
	year = t.century >= 19 && t.century <= 22 ? t.century * 100 + t.year
						  : t.year + (t.year < 70 ? 2000 : 1900);
	if (t.second > 60 || t.minute > 59 || t.hour > 23 || t.day < 1 || t.day > 31 ||
	    t.month < 1 || t.month > 12)
		return 0;
	return ((days_of(year, t.month, t.day) * 24 + t.hour) * 60 + t.minute) * 60 + t.second;
}

/* The date of a number of days since 1970-01-01: days_of backwards. */
static void
date_of(u64 days, struct rtc_time *t)
{
	u64 z = days + 719468, era = z / 146097, doe = z - era * 146097;
	u64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	u64 doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	u64 m = (5 * doy + 2) / 153, year = yoe + era * 400;

	t->day = (u32)(doy - (153 * m + 2) / 5 + 1);
	t->month = (u32)(m < 10 ? m + 3 : m - 9);
	year += t->month <= 2;
	t->century = (u32)(year / 100);
	t->year = (u32)(year % 100);
}

void
arch_rtc_write(u64 seconds)
{
	struct rtc_time t = { .second = (u32)(seconds % 60),
			      .minute = (u32)(seconds / 60 % 60),
			      .hour = (u32)(seconds / 3600 % 24) };
	u8 mode = cmos_read(REG_B);
	u32 pm = 0;

	date_of(seconds / 86400, &t);
	if (!(mode & B_24_HOURS)) {
		pm = t.hour >= 12 ? HOUR_PM : 0;
		t.hour = t.hour % 12 ? t.hour % 12 : 12;
	}
	if (!(mode & B_BINARY))
		t = (struct rtc_time){ to_bcd(t.second), to_bcd(t.minute), to_bcd(t.hour),
				       to_bcd(t.day),	 to_bcd(t.month),  to_bcd(t.year),
				       to_bcd(t.century) };
	cmos_write(REG_B, mode | B_SET);
	cmos_write(REG_SECOND, t.second);
	cmos_write(REG_MINUTE, t.minute);
	cmos_write(REG_HOUR, t.hour | pm);
	cmos_write(REG_DAY, t.day);
	cmos_write(REG_MONTH, t.month);
	cmos_write(REG_YEAR, t.year);
	if (acpi_fixed.century)
		cmos_write(acpi_fixed.century, t.century);
	cmos_write(REG_B, mode & (u8)~B_SET);
}
