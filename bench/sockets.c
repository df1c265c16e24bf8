/* SPDX-License-Identifier: MIT */
/* Rows of sockets: options, and TCP and UDP over the loopback device. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[1 << 16];

static int
make_socket(int family, int type)
{
	int fd = socket(family, type, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		bench_absent("AF_INET");
	return must(fd, "socket");
}

static void
run_setsockopt(struct bench *bench)
{
	int on = 1, fd = make_socket(AF_UNIX, SOCK_STREAM);

	BENCH_LOOP(bench)
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "setsockopt");
	close(fd);
}

static void
run_getsockopt(struct bench *bench)
{
	int value, fd = make_socket(AF_UNIX, SOCK_STREAM);
	socklen_t size = sizeof(value);

	BENCH_LOOP(bench)
	must(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &size), "getsockopt");
	close(fd);
}

/* A listening socket on a free port of 127.0.0.1. */
static int
listen_tcp(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = make_socket(AF_INET, SOCK_STREAM);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(bind(fd, (struct sockaddr *)address, size), "bind");
	must(listen(fd, 16), "listen");
	must(getsockname(fd, (struct sockaddr *)address, &size), "getsockname");
	return fd;
}

/* Two connected TCP sockets. */
static void
make_pair(int ends[2])
{
	struct sockaddr_in address;
	int on = 1, listener = listen_tcp(&address);

	ends[0] = make_socket(AF_INET, SOCK_STREAM);
	must(connect(ends[0], (struct sockaddr *)&address, sizeof(address)), "connect");
	ends[1] = must(accept(listener, NULL, NULL), "accept");
	setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(listener);
}

static void
echo_main(void *argument)
{
	int fd = *(int *)argument;
	ssize_t size;

	while ((size = recv(fd, buffer, 4096, 0)) > 0)
		send(fd, buffer, size, 0);
}

static void
run_tcp_pingpong(struct bench *bench)
{
	int ends[2];

	make_pair(ends);
	pid_t child = bench_fork(echo_main, &ends[1]);
	BENCH_LOOP(bench)
	{
		must(send(ends[0], buffer, 1, 0), "send");
		must(recv(ends[0], buffer, 1, 0), "recv");
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

static void
source_main(void *argument)
{
	while (send(*(int *)argument, buffer, sizeof(buffer), MSG_NOSIGNAL) > 0)
		;
}

static void
run_tcp_64k(struct bench *bench)
{
	int ends[2];

	make_pair(ends);
	pid_t child = bench_fork(source_main, &ends[1]);
	BENCH_LOOP(bench)
	must(recv(ends[0], buffer, sizeof(buffer), MSG_WAITALL), "recv");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

static void
run_tcp_connect(struct bench *bench)
{
	struct sockaddr_in address;
	struct linger at_once = { 1, 0 };
	int listener = listen_tcp(&address);

	BENCH_LOOP(bench)
	{
		int fd = make_socket(AF_INET, SOCK_STREAM);
		must(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
		int peer = must(accept(listener, NULL, NULL), "accept");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(fd);
		close(peer);
	}
	close(listener);
}

static void
run_udp_message(struct bench *bench)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = make_socket(AF_INET, SOCK_DGRAM);

	must(bind(fd, (struct sockaddr *)&address, size), "bind");
	must(getsockname(fd, (struct sockaddr *)&address, &size), "getsockname");
	must(connect(fd, (struct sockaddr *)&address, size), "connect");
	BENCH_LOOP(bench)
	{
		must(send(fd, buffer, 100, 0), "send");
		must(recv(fd, buffer, 100, 0), "recv");
	}
	close(fd);
}

static void
run_unix_connect(struct bench *bench)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = make_socket(AF_UNIX, SOCK_STREAM);

	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/bench.socket");
	unlink(address.sun_path);
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(listen(listener, 16), "listen");
	BENCH_LOOP(bench)
	{
		int fd = make_socket(AF_UNIX, SOCK_STREAM);
		must(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
		close(must(accept(listener, NULL, NULL), "accept"));
		close(fd);
	}
	close(listener);
}

/* ---- to the host, through virtio-net ---- */

/* A connection to the host, whose server (tools/kevlar_lib/bench.py) is told what to do on it. */
static int
connect_host(char task)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(bench_host_port),
				       .sin_addr.s_addr = htonl(0x0a000202) };
	int on = 1;

	if (bench_host_port == 0)
		bench_absent("a network card");
	int fd = make_socket(AF_INET, SOCK_STREAM);
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect to the host");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	must(send(fd, &task, 1, 0), "send");
	return fd;
}

/* 64 KiB each. */
static void
run_host_send(struct bench *bench)
{
	int fd = connect_host('S');

	BENCH_LOOP(bench)
	for (size_t left = sizeof(buffer); left > 0;)
		left -= must(send(fd, buffer, left, 0), "send");
	close(fd);
}

static void
run_host_receive(struct bench *bench)
{
	int fd = connect_host('R');

	BENCH_LOOP(bench)
	must(recv(fd, buffer, sizeof(buffer), MSG_WAITALL), "recv");
	close(fd);
}

static void
run_host_pingpong(struct bench *bench)
{
	int fd = connect_host('E');

	BENCH_LOOP(bench)
	{
		must(send(fd, buffer, 1, 0), "send");
		must(recv(fd, buffer, 1, 0), "recv");
	}
	close(fd);
}

const struct row socket_rows[] = {
	{ "setsockopt", run_setsockopt, 10000 },
	{ "getsockopt", run_getsockopt, 10000 },
	{ "unix_connect", run_unix_connect, 500 },
	{ "tcp_pingpong", run_tcp_pingpong, 500 },
	{ "tcp_64k", run_tcp_64k, 50 },
	{ "tcp_connect", run_tcp_connect, 200 },
	{ "udp_message", run_udp_message, 1000 },
	{ 0 },
};

/* Last of all: what the host still sends when a row has ended would meet the next one. */
const struct row host_rows[] = {
	{ "host_pingpong", run_host_pingpong, 200, .waits = true },
	{ "host_send", run_host_send, 100, .waits = true },
	{ "host_receive", run_host_receive, 100, .waits = true },
	{ 0 },
};
