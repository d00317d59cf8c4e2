/* The physical limit: a WebSocket broadcast server that does nothing but its system calls.
 *
 *   limit_server BEFORE AFTER
 *
 * POST any path with {..."data":X}: frames BEFORE X AFTER once, sends it to every socket with one send() each, answers 201.
 * GET any path with Upgrade: websocket: a socket; with "replay" in the path it is first sent all events so far, joined.
 * It serves on a free port of 127.0.0.1, which it prints. One thread, no timers, no memory beyond the log. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept_key.h"

#define ROOM (1 << 20)
#define EVENTS 256

struct connection {
    int fd;
    bool is_socket;
    size_t place;      /* in `sockets` */
    size_t size, room;
    char *request;     /* what of a request has come so far, NULL for none */
};

static struct connection **sockets;
static size_t socket_count, socket_room;
static char *history;
static size_t history_size, history_room;
static const char *before, *after;
static int epoll_fd;

static void send_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {fd, POLLOUT, 0};
            poll(&wait, 1, -1);
        } else {
            return; /* gone: epoll will say so */
        }
    }
}

static void drop(struct connection *one) {
    if (one->is_socket) {
        sockets[one->place] = sockets[--socket_count];
        sockets[one->place]->place = one->place;
    }
    close(one->fd);
    free(one->request);
    free(one);
}

static void append(const char *bytes, size_t size) {
    while (history_room < history_size + size)
        history = realloc(history, history_room = history_room ? 2 * history_room : 65536);
    memcpy(history + history_size, bytes, size);
    history_size += size;
}

static void publish(const char *data, size_t size) {
    static char frame[ROOM + 4096];
    size_t head = strlen(before), tail = strlen(after), payload = head + size + tail, at = 2;
    frame[0] = (char)0x81;
    frame[1] = (char)(payload < 126 ? payload : payload < 65536 ? 126 : 127);
    for (int shift = payload < 126 ? -8 : payload < 65536 ? 8 : 56; shift >= 0; shift -= 8)
        frame[at++] = (char)(payload >> shift);
    memcpy(frame + at, before, head);
    memcpy(frame + at + head, data, size);
    memcpy(frame + at + head + size, after, tail);
    append(frame, at + payload);
    for (size_t i = 0; i < socket_count; i++)
        send_all(sockets[i]->fd, frame, at + payload);
}

static void become_socket(struct connection *one, const char *key, bool replay) {
    char answer[256], accept_key[29];
    make_accept_key(key, strcspn(key, "\r"), accept_key);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accept_key);
    send_all(one->fd, answer, (size_t)size);
    if (replay)
        send_all(one->fd, history, history_size);
    if (socket_count == socket_room)
        sockets = realloc(sockets, (socket_room = socket_room ? 2 * socket_room : 1024) * sizeof *sockets);
    one->is_socket = true;
    one->place = socket_count;
    sockets[socket_count++] = one;
}

/* Serve the request if it is whole; the bytes that it took, 0 when there is more to come. */
static size_t serve(struct connection *one) {
    char *end = memmem(one->request, one->size, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - one->request) + 4;
    *end = '\0';
    const char *key = strcasestr(one->request, "\r\nsec-websocket-key: ");
    const char *length = strcasestr(one->request, "\r\ncontent-length: ");
    size_t body = length == NULL ? 0 : strtoull(length + 18, NULL, 10);
    *end = '\r';
    if (one->size < head + body)
        return 0;
    if (key != NULL) {
        bool replay = memmem(one->request, strcspn(one->request, "\r"), "replay", 6) != NULL;
        become_socket(one, key + 21, replay);
        return head;
    }
    const char *data = memmem(one->request + head, body, "\"data\":", 7), *body_end = one->request + head + body;
    if (data != NULL)
        publish(data + 7, (size_t)(body_end - 1 - (data + 7)));
    const char *answer = data == NULL ? "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
                                      : "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
    send_all(one->fd, answer, strlen(answer));
    return head + body;
}

static void on_bytes(struct connection *one) {
    static char ignored[65536];
    if (one->is_socket) { /* of what a reader says only its leaving matters: a close, or the end of the connection */
        ssize_t got = recv(one->fd, ignored, sizeof ignored, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN) || (got > 0 && (ignored[0] & 15) == 8))
            drop(one);
        return;
    }
    if (one->size == one->room && one->room < ROOM)
        one->request = realloc(one->request, one->room = one->room ? 2 * one->room : 4096);
    ssize_t got = recv(one->fd, one->request + one->size, one->room - one->size, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* also a request too large: its recv had no room */
        drop(one);
        return;
    }
    one->size += (size_t)got;
    size_t taken;
    while (one->size > 0 && (taken = serve(one)) > 0) {
        one->size -= taken;
        memmove(one->request, one->request + taken, one->size);
    }
    if (one->is_socket) {
        free(one->request);
        one->request = NULL;
    }
}

static void on_arrivals(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *one = calloc(1, sizeof *one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        one->fd = fd;
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_anywhere(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0) {
        perror("limit_server");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    struct rlimit files;
    struct epoll_event events[EVENTS], arrivals = {.events = EPOLLIN, .data.ptr = NULL};
    if (argc != 3) {
        fputs("usage: limit_server BEFORE AFTER\n", stderr);
        return 2;
    }
    before = argv[1];
    after = argv[2];
    prctl(PR_SET_PDEATHSIG, 15);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_anywhere();
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &arrivals);
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                on_arrivals(listener);
            else
                on_bytes(events[i].data.ptr);
        }
    }
}
