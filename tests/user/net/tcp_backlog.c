/* SPDX-License-Identifier: MIT */
/* TEST: timeout=30 */
/* TCP: how many connections wait to be accepted, and what happens to more; churn. */
#include "tcp.h"

static void
overflow(void)
{
	int l = tcp_listener(0, 1), c[8], waiting = 0;
	struct sockaddr_in a = loopback(port_of(l));

	for (int i = 0; i < 8; i++) {
		c[i] = tcp_socket();
		nonblocking(c[i]);
		if (connect(c[i], (void *)&a, sizeof(a)))
			must(errno == EINPROGRESS ? 0 : -1);
	}
	sleep_ms(100);
	for (int i = 0; i < 8; i++)
		waiting += tcp_state(c[i]) == TCP_ESTABLISHED;
	ok(waiting >= 2, "backlog 1: two at least are connected");
	ok(waiting < 8, "but not all");
	is_int(poll_now(l, POLLIN), POLLIN, "some can be accepted");
	int accepted = 0;
	nonblocking(l);
	long long end = now_ms() + 8000;
	while (accepted <= 2 && now_ms() < end) {
		int s = accept(l, NULL, NULL);

		if (s >= 0) {
			accepted++;
			close(s);
		} else {
			sleep_ms(10);
		}
	}
	ok(accepted > 2, "some others are when there is room: SYNs are repeated");
	for (int i = 0; i < 8; i++)
		close(c[i]);
	close(l);
}

static void
order(void)
{
	int l = tcp_listener(0, 16), c[10], good = 1;

	for (int i = 0; i < 10; i++)
		c[i] = tcp_connect_to(port_of(l));
	for (int i = 0; i < 10; i++) {
		struct sockaddr_in a;
		socklen_t len = sizeof(a);
		int s = must(accept(l, (void *)&a, &len));

		good &= ntohs(a.sin_port) == port_of(c[i]);
		close(s);
	}
	ok(good, "connections are accepted in their order");
	for (int i = 0; i < 10; i++)
		close(c[i]);
	/* Gone before it was accepted. */
	c[0] = tcp_connect_to(port_of(l));
	must(write(c[0], "bye", 3));
	close(c[0]);
	sleep_ms(20);
	int s = must(accept(l, NULL, NULL));
	char buf[10];
	is_int(read(s, buf, 10), 3, "data of a connection closed before accept");
	is_int(read(s, buf, 10), 0, "and its end");
	close(s);
	close(l);
}

static void
churn(void)
{
	int l = tcp_listener(0, 64), port = port_of(l), bad = 0;

	for (int i = 0; i < 500; i++) {
		int c = tcp_connect_to(port), s = must(accept(l, NULL, NULL));
		char x = (char)i;

		bad += write(c, &x, 1) != 1 || read(s, &x, 1) != 1 || x != (char)i;
		close(i & 1 ? c : s);
		close(i & 1 ? s : c);
	}
	is_int(bad, 0, "500 connections one after the other");
	close(l);
}

static void
many(void)
{
	int l = tcp_listener(0, 128), c[100], s[100], bad = 0;

	for (int i = 0; i < 100; i++) {
		c[i] = tcp_connect_to(port_of(l));
		s[i] = must(accept(l, NULL, NULL));
	}
	for (int i = 0; i < 100; i++)
		bad += write(c[i], &i, sizeof(i)) != sizeof(i);
	for (int i = 0; i < 100; i++) {
		int v = -1;

		bad += read(s[i], &v, sizeof(v)) != sizeof(v) || v != i;
	}
	is_int(bad, 0, "100 connections at once");
	for (int i = 0; i < 100; i++) {
		close(c[i]);
		close(s[i]);
	}
	close(l);
}

int
main(void)
{
	loopback_up();
	signal(SIGPIPE, SIG_IGN);
	overflow();
	order();
	churn();
	many();
	return done();
}
