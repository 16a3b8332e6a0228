/*
 * Phones that register, and the presence server that gets what comes of it: load generator and answering server in one
 * process without an allocation per message, so that neither is what limits a row.
 *
 *   phones  REGISTER ->  [ measured ]  PUBLISH ->  server
 *           <- 200                     <- 200
 *
 * An operation is done when its REGISTER has its 200 and its PUBLISH has come. `window` operations are outstanding; of five
 * four refresh one of `users` bindings in turn, the fifth makes a new one. What is not done within RETRY_MS is asked for once more.
 *
 * Standard output: {"port": of the server}. Standard input, one per line:
 *   go PORT    the REGISTERs go to 127.0.0.1:PORT from now on
 *   report     prints what was counted since the last report
 *   stop       begins no further operation, reports when none is outstanding
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 500
/* A power of two: the line of what is pending is a ring. */
#define MAX_USERS (1 << 22)
#define BUCKETS 200000
#define BUCKET_US 10
#define BATCH 64

enum { ANSWERED = 1, PUBLISHED = 2, PENDING = 4 };

struct user {
  uint64_t sent_us;
  uint32_t cseq;
  uint8_t flags;
};

static struct user *users;
static uint32_t base, made, turn, window, outstanding;
static uint64_t operations, repetitions, refused, strays;
static uint32_t histogram[BUCKETS];
static uint32_t *line_of_pending, pending_head, pending_tail;
static int phones, server, running;
static struct sockaddr_in target;
static char buffer[65536], out[65536];
static uint64_t etag;
static int phones_port;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int open_socket(int *port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  int size = 8 << 20;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof a;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || getsockname(fd, (struct sockaddr *)&a, &length)) {
    perror("socket");
    exit(1);
  }
  *port = ntohs(a.sin_port);
  return fd;
}

static void send_register(uint32_t n) {
  struct user *u = &users[n];
  int length = snprintf(out, sizeof out,
                        "REGISTER sip:bench.example SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%u.%u\r\n"
                        "Max-Forwards: 70\r\n"
                        "From: <sip:u%u@bench.example>;tag=f%u\r\n"
                        "To: <sip:u%u@bench.example>\r\n"
                        "Call-ID: c%u@bench.example\r\n"
                        "CSeq: %u REGISTER\r\n"
                        "Contact: <sip:u%u@127.0.0.1:%d>\r\n"
                        "Expires: 3600\r\n"
                        "User-Agent: bench\r\n"
                        "Content-Length: 0\r\n\r\n",
                        phones_port, n, u->cseq, n, n, n, n, u->cseq, n, phones_port);
  sendto(phones, out, length, 0, (struct sockaddr *)&target, sizeof target);
}

static void begin(void) {
  uint32_t n;
  if (operations % 5 == 4 && made < MAX_USERS) n = made++;
  else if (made < base) n = made++;
  else {
    do n = turn++ % base;
    while (users[n].flags & PENDING);
  }
  users[n].cseq++;
  users[n].flags = PENDING;
  users[n].sent_us = now_us();
  outstanding++;
  line_of_pending[pending_tail++ & (MAX_USERS - 1)] = n;
  send_register(n);
}

static void finished(uint32_t n, uint8_t part) {
  struct user *u = &users[n];
  if (!(u->flags & PENDING)) {
    strays++;
    return;
  }
  if (part == PUBLISHED && !(u->flags & PUBLISHED)) {
    uint64_t bucket = (now_us() - u->sent_us) / BUCKET_US;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  }
  u->flags |= part;
  if ((u->flags & (ANSWERED | PUBLISHED)) != (ANSWERED | PUBLISHED)) return;
  u->flags = 0;
  operations++;
  outstanding--;
  if (running) begin();
}

/* The value of a header field at the start of a line, up to its end. */
static const char *field(const char *message, const char *name, const char **end) {
  size_t length = strlen(name);
  for (const char *line = strstr(message, "\r\n"); line; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, length) || line[length] != ':') continue;
    line += length + 1;
    while (*line == ' ') line++;
    *end = strstr(line, "\r\n");
    return *end ? line : NULL;
  }
  return NULL;
}

static void on_phone(ssize_t length) {
  const char *end, *cseq;
  buffer[length] = 0;
  if (strncmp(buffer, "SIP/2.0 ", 8) || !(cseq = field(buffer, "CSeq", &end))) return;
  const char *from = strstr(buffer, "<sip:u");
  if (!from) return;
  uint32_t n = strtoul(from + 6, NULL, 10);
  if (n >= made || strtoul(cseq, NULL, 10) != users[n].cseq) return;
  int status = atoi(buffer + 8);
  if (status < 200) return;
  if (status >= 300) refused++;
  finished(n, ANSWERED);
}

static void on_server(ssize_t length, const struct sockaddr_in *from) {
  static const char *const COPIED[] = {"Via", "From", "To", "Call-ID", "CSeq", "Expires"};
  buffer[length] = 0;
  if (strncmp(buffer, "PUBLISH sip:u", 13)) return;
  int at = snprintf(out, sizeof out, "SIP/2.0 200 OK\r\n");
  for (size_t i = 0; i < sizeof COPIED / sizeof *COPIED; i++) {
    const char *end, *value = field(buffer, COPIED[i], &end);
    if (!value) continue;
    at += snprintf(out + at, sizeof out - at, "%s: %.*s%s\r\n", COPIED[i], (int)(end - value), value, i == 2 ? ";tag=s" : "");
  }
  at += snprintf(out + at, sizeof out - at, "SIP-ETag: e%llu\r\nContent-Length: 0\r\n\r\n", (unsigned long long)++etag);
  sendto(server, out, at, 0, (const struct sockaddr *)from, sizeof *from);
  uint32_t n = strtoul(buffer + 13, NULL, 10);
  if (n < made) finished(n, PUBLISHED);
}

/* Everything outstanding for too long, oldest first. */
static void retry(void) {
  uint64_t late = now_us() - RETRY_MS * 1000;
  while (pending_head != pending_tail) {
    uint32_t n = line_of_pending[pending_head & (MAX_USERS - 1)];
    struct user *u = &users[n];
    if ((u->flags & PENDING) && u->sent_us > late) return;
    pending_head++;
    if (!(u->flags & PENDING)) continue;
    repetitions++;
    u->sent_us = now_us();
    /* A registrar that has seen this CSeq would answer, but do nothing. */
    u->cseq++;
    line_of_pending[pending_tail++ & (MAX_USERS - 1)] = n;
    send_register(n);
  }
}

static double percentile(double part) {
  uint64_t all = 0, seen = 0;
  for (int i = 0; i < BUCKETS; i++) all += histogram[i];
  for (int i = 0; i < BUCKETS; i++)
    if ((seen += histogram[i]) >= part * all && all) return (i + 1) * BUCKET_US / 1000.0;
  return 0;
}

static void report(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  uint64_t cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000ull + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  printf("{\"operations\":%llu,\"repetitions\":%llu,\"refused\":%llu,\"strays\":%llu,\"cpuUs\":%llu,\"p50\":%.2f,\"p99\":%.2f}\n",
         (unsigned long long)operations, (unsigned long long)repetitions, (unsigned long long)refused,
         (unsigned long long)strays, (unsigned long long)cpu, percentile(0.5), percentile(0.99));
  fflush(stdout);
  memset(histogram, 0, sizeof histogram);
}

/* All lines that have come; 0 at their end. */
static int heed(int *stopping) {
  static char line[256];
  static size_t length;
  char c;
  ssize_t got;
  while ((got = read(0, &c, 1)) == 1) {
    if (c != '\n') {
      if (length < sizeof line - 1) line[length++] = c;
      continue;
    }
    line[length] = 0;
    length = 0;
    if (!strncmp(line, "go ", 3)) {
      target.sin_family = AF_INET;
      target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      target.sin_port = htons(atoi(line + 3));
      running = 1;
      while (outstanding < window) begin();
    } else if (!strcmp(line, "report")) report();
    else if (!strcmp(line, "stop")) {
      running = 0;
      *stopping = 1;
    }
  }
  return got != 0;
}

int main(int argc, char **argv) {
  int port, stopping = 0;
  if (argc != 3) {
    fprintf(stderr, "usage: phones WINDOW USERS\n");
    return 2;
  }
  window = atoi(argv[1]);
  base = atoi(argv[2]);
  if (window < 1 || base <= window || base > MAX_USERS) {
    fprintf(stderr, "phones: there must be more users than are outstanding\n");
    return 2;
  }
  users = calloc(MAX_USERS, sizeof *users);
  line_of_pending = calloc(MAX_USERS, sizeof *line_of_pending);
  phones = open_socket(&phones_port);
  server = open_socket(&port);
  fcntl(0, F_SETFL, O_NONBLOCK);
  printf("{\"port\":%d}\n", port);
  fflush(stdout);
  struct pollfd fds[] = {{phones, POLLIN, 0}, {server, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    poll(fds, 3, 50);
    if (fds[2].revents && !heed(&stopping)) return 0;
    for (int socket_of = 0; socket_of < 2; socket_of++) {
      if (!fds[socket_of].revents) continue;
      for (int i = 0; i < BATCH; i++) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t length = recvfrom(fds[socket_of].fd, buffer, sizeof buffer - 1, 0, (struct sockaddr *)&from, &size);
        if (length < 0) break;
        if (socket_of == 0) on_phone(length);
        else on_server(length, &from);
      }
    }
    if (target.sin_port) retry();
    if (stopping && outstanding == 0) {
      report();
      stopping = 0;
    }
  }
}
