/* SPDX-License-Identifier: MIT */
/*
 * tcp(7): what uapi/in.h, which has the common options and states, does not.
 */
#ifndef UAPI_TCP_H
#define UAPI_TCP_H

#include "lib/types.h"

#define TCP_SAVE_SYN	     27
#define TCP_SAVED_SYN	     28
#define TCP_FASTOPEN_CONNECT 30
#define TCP_ULP		     31
#define TCP_INQ		     36
#define TCP_CM_INQ	     TCP_INQ

#define TCPI_OPT_TIMESTAMPS 1
#define TCPI_OPT_SACK	    2
#define TCPI_OPT_WSCALE	    4

struct linux_tcp_info {
	u8 tcpi_state;
	u8 tcpi_ca_state;
	u8 tcpi_retransmits;
	u8 tcpi_probes;
	u8 tcpi_backoff;
	u8 tcpi_options;
	u8 pad_wscales; /* bits 0-3: the shift for sending, 4-7: for receiving */
	u8 pad_limited; /* bit 0: the delivery rate was limited by the program */
	u32 tcpi_rto;	/* times are in microseconds here */
	u32 tcpi_ato;
	u32 tcpi_snd_mss;
	u32 tcpi_rcv_mss;
	u32 tcpi_unacked;
	u32 tcpi_sacked;
	u32 tcpi_lost;
	u32 tcpi_retrans;
	u32 tcpi_fackets;
	u32 tcpi_last_data_sent; /* ago, in milliseconds */
	u32 tcpi_last_ack_sent;
	u32 tcpi_last_data_recv;
	u32 tcpi_last_ack_recv;
	u32 tcpi_pmtu;
	u32 tcpi_rcv_ssthresh;
	u32 tcpi_rtt;
	u32 tcpi_rttvar;
	u32 tcpi_snd_ssthresh;
	u32 tcpi_snd_cwnd;
	u32 tcpi_advmss;
	u32 tcpi_reordering;
	u32 tcpi_rcv_rtt;
	u32 tcpi_rcv_space;
	u32 tcpi_total_retrans;
	u64 tcpi_pacing_rate;
	u64 tcpi_max_pacing_rate;
	u64 tcpi_bytes_acked;
	u64 tcpi_bytes_received;
	u32 tcpi_segs_out;
	u32 tcpi_segs_in;
	u32 tcpi_notsent_bytes;
	u32 tcpi_min_rtt;
	u32 tcpi_data_segs_in;
	u32 tcpi_data_segs_out;
	u64 tcpi_delivery_rate;
	u64 tcpi_busy_time;
	u64 tcpi_rwnd_limited;
	u64 tcpi_sndbuf_limited;
	u32 tcpi_delivered;
	u32 tcpi_delivered_ce;
	u64 tcpi_bytes_sent;
	u64 tcpi_bytes_retrans;
	u32 tcpi_dsack_dups;
	u32 tcpi_reord_seen;
	u32 tcpi_rcv_ooopack;
	u32 tcpi_snd_wnd;
};

#endif /* UAPI_TCP_H */
