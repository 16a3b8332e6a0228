/*
 * The least that can be measured between the phones and their server: answers each REGISTER and sends a PUBLISH for it. With
 * it in the middle the rate is what `phones` itself can do.
 *
 * usage: mirror PUBLISH_PORT; prints {"port": where it takes REGISTERs}
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[65536], out[65536];

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, to = own;
  socklen_t length = sizeof own;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  to.sin_port = htons(atoi(argv[1]));
  if (bind(fd, (struct sockaddr *)&own, sizeof own) || getsockname(fd, (struct sockaddr *)&own, &length)) return 1;
  printf("{\"port\":%d}\n", ntohs(own.sin_port));
  fflush(stdout);
  for (;;) {
    struct sockaddr_in from;
    socklen_t from_length = sizeof from;
    ssize_t got = recvfrom(fd, buffer, sizeof buffer - 1, 0, (struct sockaddr *)&from, &from_length);
    if (got < 0) continue;
    buffer[got] = 0;
    if (strncmp(buffer, "REGISTER ", 9)) continue;
    char *line = strstr(buffer, "\r\n"), *user = strstr(buffer, "<sip:u"), *call = strstr(buffer, "Call-ID: "), *cseq = strstr(buffer, "CSeq: ");
    if (!line || !user || !call || !cseq) continue;
    int at = snprintf(out, sizeof out, "SIP/2.0 200 OK%s", line);
    sendto(fd, out, at, 0, (struct sockaddr *)&from, from_length);
    at = snprintf(out, sizeof out,
                  "PUBLISH sip:u%u@bench.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%d\r\n"
                  "From: <sip:u@bench.example>;tag=m\r\nTo: <sip:u@bench.example>\r\n%.*s\r\nCSeq: 1 PUBLISH\r\nExpires: 3600\r\n"
                  "Content-Length: 400\r\n\r\n%400s",
                  (unsigned)strtoul(user + 6, NULL, 10), ntohs(own.sin_port), rand(), (int)strcspn(call, "\r"), call, "");
    sendto(fd, out, at, 0, (struct sockaddr *)&to, sizeof to);
  }
}
