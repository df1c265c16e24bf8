/* SPDX-License-Identifier: MIT */
/*
 * Rows of programs as Debian builds them, on the disk below /mnt: a compiler, an interpreter, a
 * data base, servers. They run in a root of their own there, with a tmpfs on /tmp.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Becomes a shell in Debian's root. */
static void
exec_debian(void *argument)
{
	static char *environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
				       "LC_ALL=C", NULL };
	char *arguments[] = { "/bin/sh", "-ec", argument, NULL };
	int null = must(open("/dev/null", O_RDWR), "/dev/null");

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (chroot("/mnt") == 0 && chdir("/root") == 0)
		execve(arguments[0], arguments, environment);
	_exit(127);
}

static void
debian(const char *script)
{
	if (!bench_has_disk)
		bench_absent("a disk");
	bench_wait(bench_fork(exec_debian, (char *)script));
}

static void
repeat(struct bench *bench, const char *script)
{
	debian(script);
	BENCH_LOOP(bench)
	debian(script);
}

/* A program of that many functions, the same every time. */
static void
write_source(const char *path, int functions)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		bench_absent("a disk");
	fprintf(file, "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
	for (int i = 0; i < functions; i++)
		fprintf(file,
			"struct s%d { int a; char *b; struct s%d *next; };\n"
			"int f%d(struct s%d *list, int n)\n{\n"
			"\tint sum = 0;\n"
			"\tfor (struct s%d *s = list; s != NULL; s = s->next)\n"
			"\t\tfor (int i = 0; i < n; i++)\n"
			"\t\t\tsum += s->a * i + (s->b ? (int)strlen(s->b) : %d);\n"
			"\tif (sum %% 3 == %d)\n\t\tprintf(\"%%d\\n\", sum);\n"
			"\treturn sum;\n}\n",
			i, i, i, i, i, i, i % 3);
	fclose(file);
}

static void
run_gcc(struct bench *bench)
{
	write_source("/mnt/tmp/bench.c", 20);
	repeat(bench, "exec gcc -O2 -c -o /tmp/bench.o /tmp/bench.c");
}

static void
run_gcc_hello(struct bench *bench)
{
	write_source("/mnt/tmp/bench.c", 0);
	debian("echo 'int main(void) { puts(\"hello\"); return 0; }' >> /tmp/bench.c");
	repeat(bench, "gcc -O2 -o /tmp/hello /tmp/bench.c && exec /tmp/hello");
}

static void
run_python(struct bench *bench)
{
	repeat(bench, "exec python3 -c pass");
}

#define PYTHON_WORK                                                                  \
	"exec python3 -c 'import re, os\n"                                           \
	"words = [re.sub(\"[aeiou]\", str(i), name) for i in range(20) for name in " \
	"os.listdir(\"/usr/bin\")]\n"                                                \
	"print(len(sorted(set(words))))'"

static void
run_python_work(struct bench *bench)
{
	repeat(bench, PYTHON_WORK);
}

static void
run_git_status(struct bench *bench)
{
	debian("cd /root; rm -rf repository; git init -q repository; cd repository\n"
	       "for d in 1 2 3 4 5 6 7 8 9 10; do mkdir d$d\n"
	       "for f in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
	       "echo $d $f > d$d/f$f; done; done\n"
	       "git add .; git -c user.name=n -c user.email=e commit -qm first; git status");
	repeat(bench, "cd repository; exec git status");
	debian("rm -rf repository");
}

/* ---- SQLite ---- */

#define NUMBERS(count) \
	"with recursive n(i) as (select 1 union all select i+1 from n where i<" count ") "

#define SPEED                                                                                      \
	"begin;create table t(a integer primary key, b int, c text);"                              \
	"insert into t " NUMBERS(                                                                  \
		"2000") "select i, i*7919%10007, 'text '||i from n;"                               \
			"create index tb on t(b);commit;begin;"                                    \
			"update t set b=b+1 where a%3=0;delete from t where a%7=0;commit;"         \
			"select count(*),sum(b) from t where b between 1000 and 5000;"             \
			"select count(*) from t x join t y on x.b=y.a;select c from t order by c " \
			"desc limit 10;"

#define SPEED_IN(folder) "rm -f " folder "/base*; exec sqlite3 " folder "/base \"" SPEED "\""

static void
run_sqlite_tmpfs(struct bench *bench)
{
	repeat(bench, SPEED_IN("/tmp"));
}

static void
run_sqlite_disk(struct bench *bench)
{
	repeat(bench, SPEED_IN("/root"));
	debian("rm -f /root/base*");
}

/* Each a transaction, with its fsyncs. */
static void
run_sqlite_inserts(struct bench *bench)
{
	debian("rm -f /root/base*; sqlite3 /root/base 'create table t(a, b)'\n"
	       "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo \"insert into t values($i, 'x');\"\n"
	       "done > /tmp/inserts");
	repeat(bench, "exec sqlite3 /root/base < /tmp/inserts");
	bench->per = 30;
	debian("rm -f /root/base*");
}

/* ---- archives, sorting ---- */

#define MAKE_TREE                                                                              \
	"rm -rf /tmp/source; mkdir /tmp/source; cd /tmp/source\n"                              \
	"for d in 1 2 3 4 5 6 7 8 9 10; do mkdir d$d\n"                                        \
	"for f in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"                    \
	"head -c $((f * 700)) /usr/bin/git > d$d/f$f.c; done; done; cd ..; tar cf source.tar " \
	"source"

static void
run_untar(struct bench *bench)
{
	debian(MAKE_TREE);
	repeat(bench, "rm -rf out; mkdir out; tar xf /tmp/source.tar -C out; sync -f out");
	debian("rm -rf out");
}

static void
run_tar_gzip(struct bench *bench)
{
	debian(MAKE_TREE);
	repeat(bench, "tar cf - /tmp/source 2>&1 | gzip -1 > /tmp/source.tar.gz");
}

static void
run_sort(struct bench *bench)
{
	debian("od -An -tx1 -w8 -N80000 /usr/bin/git > /tmp/lines");
	repeat(bench, "exec sort /tmp/lines -o /tmp/sorted");
}

static void
run_hackbench_processes(struct bench *bench)
{
	repeat(bench, "exec hackbench -g 2 -l 20");
}

static void
run_hackbench_threads(struct bench *bench)
{
	repeat(bench, "exec hackbench -g 2 -l 20 -T");
}

/* ---- servers ---- */

static int
connect_port(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Starts a server and waits until it listens. */
static pid_t
start_server(const char *script, int port)
{
	if (!bench_has_disk)
		bench_absent("a disk");
	pid_t pid = bench_fork(exec_debian, (char *)script);

	for (int patience = 500; patience > 0; patience--) {
		int fd = connect_port(port);
		if (fd >= 0) {
			close(fd);
			return pid;
		}
		usleep(20000);
	}
	bench_fail(script);
}

static void
stop_server(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* Sends a request and reads the answer, which ends with `end`. */
static void
ask(int fd, const char *request, const char *end)
{
	static char answer[8192];
	size_t got = 0, tail = strlen(end);

	must(send(fd, request, strlen(request), 0), "send");
	while (got < tail || memcmp(answer + got - tail, end, tail) != 0) {
		ssize_t size = must(recv(fd, answer + got, sizeof(answer) - got, 0), "recv");
		if (size == 0)
			bench_fail(request);
		got += size;
	}
}

#define NGINX                                                                                     \
	"mkdir -p /tmp/www /var/log/nginx /var/lib/nginx; head -c 1000 /dev/zero | tr '\\0' x > " \
	"/tmp/www/page; echo end >> /tmp/www/page\n"                                              \
	"echo 'user root; daemon off; worker_processes 1; pid /tmp/nginx.pid;\n"                  \
	"error_log /dev/null; events { worker_connections 64; }\n"                                \
	"http { access_log off; keepalive_requests 1000000; sendfile on; tcp_nopush on;\n"        \
	"server { listen 127.0.0.1:8080; root /tmp/www; } }' > /tmp/nginx.conf\n"                 \
	"exec nginx -c /tmp/nginx.conf 2>/dev/null"
#define GET "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void
run_nginx_request(struct bench *bench)
{
	pid_t server = start_server(NGINX, 8080);
	int fd = must(connect_port(8080), "connect");

	BENCH_LOOP(bench)
	ask(fd, GET, "end\n");
	close(fd);
	stop_server(server);
}

static void
run_nginx_connection(struct bench *bench)
{
	pid_t server = start_server(NGINX, 8080);

	BENCH_LOOP(bench)
	{
		int fd = must(connect_port(8080), "connect");
		ask(fd, GET, "end\n");
		close(fd);
	}
	stop_server(server);
}

static void
redis(struct bench *bench, const char *request, const char *end)
{
	pid_t server = start_server("exec redis-server --port 6379 --bind 127.0.0.1 --save '' "
				    "--appendonly no --logfile /dev/null",
				    6379);
	int fd = must(connect_port(6379), "connect");

	ask(fd, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n", "+OK\r\n");
	BENCH_LOOP(bench)
	ask(fd, request, end);
	close(fd);
	stop_server(server);
}

static void
run_redis_set(struct bench *bench)
{
	redis(bench, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n", "+OK\r\n");
}

static void
run_redis_get(struct bench *bench)
{
	redis(bench, "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", "value\r\n");
}

const struct row program_rows[] = {
	{ "gcc_compile", run_gcc, 1, .waits = true },
	{ "gcc_hello", run_gcc_hello, 1, .waits = true },
	{ "python_start", run_python, 2, .waits = true },
	{ "python_work", run_python_work, 1, .waits = true },
	{ "git_status", run_git_status, 5, .waits = true },
	{ "sqlite_tmpfs", run_sqlite_tmpfs, 2, .waits = true },
	{ "sqlite_disk", run_sqlite_disk, 2, .waits = true },
	{ "sqlite_inserts", run_sqlite_inserts, 2, .waits = true },
	{ "untar_disk", run_untar, 2, .waits = true },
	{ "tar_gzip", run_tar_gzip, 1, .waits = true },
	{ "sort_gnu", run_sort, 2, .waits = true },
	{ "hackbench_processes", run_hackbench_processes, 1, .waits = true },
	{ "hackbench_threads", run_hackbench_threads, 1, .waits = true },
	{ "nginx_request", run_nginx_request, 200, .waits = true },
	{ "nginx_connection", run_nginx_connection, 100, .waits = true },
	{ "redis_set", run_redis_set, 300, .waits = true },
	{ "redis_get", run_redis_get, 300, .waits = true },
	{ 0 },
};
