/* Readers. One costs one recv a wake-up, and no copy but of an incomplete end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "subscriber.h"

#define STALLED_RECEIVE_BUFFER 65536

static struct subscriber *subscribers;
static uint32_t next_to_open, opening, subscribed;
static char buffer[READ_BYTES * 2];

void make_subscribers(void) {
    uint32_t sequences = has_own_line() ? 1 : lines();
    subscribers = calloc(options.subscribers, sizeof *subscribers);
    uint32_t *seen = calloc((size_t)options.subscribers * sequences, sizeof *seen);
    for (uint32_t i = 0; i < options.subscribers; i++) {
        subscribers[i].source = (struct source){SOURCE_SUBSCRIBER, -1};
        subscribers[i].number = i;
        subscribers[i].seen = seen + (size_t)i * sequences;
        subscribers[i].is_stalling = i < options.stalled;
    }
}

uint64_t listeners_of(uint32_t line) {
    uint32_t each = options.heads.count;
    if (!has_own_line())
        return options.subscribers;
    return options.subscribers / each + (line < options.subscribers % each ? 1 : 0);
}

bool all_subscribed(void) { return subscribed == options.subscribers || totals.refused + totals.closed > 0; }
uint32_t subscribers_open(void) { return subscribed; }

void open_subscribers(void) {
    while (next_to_open < options.subscribers && opening < options.opening) {
        struct subscriber *one = &subscribers[next_to_open++];
        one->opened_ns = now_ns();
        one->state = STATE_CONNECTING;
        opening++;
        open_connection(&options.subscribe_at, one->is_stalling ? STALLED_RECEIVE_BUFFER : 0, &one->source);
    }
}

static void lose(struct subscriber *one, bool in_handshake) {
    if (in_handshake)
        totals.refused++;
    else
        totals.closed++;
    if (one->state == STATE_SUBSCRIBED)
        subscribed--;
    else
        opening--;
    one->state = STATE_GONE;
    free(one->rest);
    one->rest = NULL;
    drop_connection(&one->source);
}

static void send_small(struct subscriber *one, const char *bytes, size_t size) {
    if (send(one->source.fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size) {
        note_trouble("subscriber %u could not send: %s", one->number, strerror(errno));
        lose(one, one->state != STATE_SUBSCRIBED);
    }
}

/* One client frame of up to 65,535 bytes, masked with zeros. */
static void send_frame(struct subscriber *one, int opcode, const char *payload, size_t size) {
    char frame[8 + 65536];
    size_t head = 2;
    frame[0] = (char)(0x80 | opcode);
    if (size < 126) {
        frame[1] = (char)(0x80 | size);
    } else {
        frame[1] = (char)(0x80 | 126);
        frame[2] = (char)(size >> 8);
        frame[3] = (char)size;
        head = 4;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, payload, size);
    send_small(one, frame, head + 4 + size);
}

static void become_subscribed(struct subscriber *one) {
    one->state = STATE_SUBSCRIBED;
    opening--;
    subscribed++;
    open_subscribers();
}

static void check_ready(struct subscriber *one, const char *payload, size_t size) {
    if (options.ready == NULL || memmem(payload, size, options.ready, strlen(options.ready)) != NULL)
        become_subscribed(one);
}

static void take_close(struct subscriber *one, const char *payload, size_t size) {
    unsigned code = size < 2 ? 1005 : (unsigned)(((unsigned char)payload[0] << 8) | (unsigned char)payload[1]);
    note_trouble("subscriber %u was closed with %u %.*s", one->number, code, size < 2 ? 0 : (int)size - 2, payload + 2);
    lose(one, one->state != STATE_SUBSCRIBED);
}

static void take_frame(struct subscriber *one, int opcode, const char *payload, size_t size, int64_t now) {
    if (opcode == 8)
        take_close(one, payload, size);
    else if (opcode == 9)
        send_frame(one, 10, payload, size);
    else if (opcode <= 2 && one->state == STATE_READY_WAIT)
        check_ready(one, payload, size);
    else if (opcode <= 2)
        take_marks(one, payload, payload + size, now);
}

/* Take all whole frames; answers how many bytes they were. */
static size_t take_frames(struct subscriber *one, const char *bytes, size_t size, int64_t now) {
    size_t at = 0;
    while (one->state != STATE_GONE && size - at >= 2) {
        const unsigned char *head = (const unsigned char *)bytes + at;
        size_t length = head[1] & 127, head_size = length == 126 ? 4 : length == 127 ? 10 : 2;
        if (size - at < head_size)
            break;
        if (length >= 126) {
            length = 0;
            for (size_t i = 2; i < head_size; i++)
                length = length << 8 | head[i];
        }
        if ((head[0] & 0x70) || (head[1] & 0x80) || length > READ_BYTES) {
            note_trouble("subscriber %u got a frame that it cannot read: %02x %02x", one->number, head[0], head[1]);
            lose(one, one->state != STATE_SUBSCRIBED);
            break;
        }
        if (size - at - head_size < length)
            break;
        take_frame(one, head[0] & 15, bytes + at + head_size, length, now);
        at += head_size + length;
    }
    return at;
}

/* The answer to the handshake; the bytes that it took, 0 when it is incomplete. */
static size_t take_answer(struct subscriber *one, const char *bytes, size_t size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    int status = 0;
    if (sscanf(bytes, "HTTP/1.1 %d", &status) != 1 || status != (options.framed ? 101 : 200)) {
        size_t body = size - (size_t)(end + 4 - bytes);
        note_trouble("subscriber %u was answered %.*s %.*s", one->number, (int)strcspn(bytes, "\r\n"), bytes,
                     (int)(body < 100 ? body : 100), end + 4);
        lose(one, true);
        return size;
    }
    one->state = STATE_READY_WAIT;
    if (options.first != NULL && options.framed)
        send_frame(one, 1, options.first, options.first_size);
    if (options.ready == NULL && one->state == STATE_READY_WAIT)
        become_subscribed(one);
    return (size_t)(end - bytes) + 4;
}

static size_t take_stream(struct subscriber *one, const char *bytes, size_t size, int64_t now) {
    if (one->state == STATE_READY_WAIT) {
        check_ready(one, bytes, size);
        return one->state == STATE_READY_WAIT ? 0 : size;
    }
    return (size_t)(take_marks(one, bytes, bytes + size, now) - bytes);
}

static void keep_rest(struct subscriber *one, const char *bytes, size_t size) {
    if (size == 0) {
        free(one->rest);
        one->rest = NULL;
    } else {
        one->rest = realloc(one->rest, size);
        memcpy(one->rest, bytes, size);
    }
    one->rest_size = size;
}

static void on_bytes(struct subscriber *one) {
    if (one->rest_size > 0)
        memcpy(buffer, one->rest, one->rest_size);
    ssize_t got = recv(one->source.fd, buffer + one->rest_size, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        note_trouble("subscriber %u lost its connection: %s", one->number, got == 0 ? "closed" : strerror(errno));
        lose(one, one->state != STATE_SUBSCRIBED);
        return;
    }
    size_t size = one->rest_size + (size_t)got, taken = 0;
    int64_t now = now_ns();
    uint64_t before = totals.delivered;
    if (one->state == STATE_HANDSHAKE)
        taken = take_answer(one, buffer, size);
    if (one->state == STATE_READY_WAIT || one->state == STATE_SUBSCRIBED)
        taken += options.framed ? take_frames(one, buffer + taken, size - taken, now)
                                : take_stream(one, buffer + taken, size - taken, now);
    if (one->state == STATE_GONE)
        return;
    if (size - taken > READ_BYTES) {
        note_trouble("subscriber %u got too much that it cannot read", one->number);
        lose(one, one->state != STATE_SUBSCRIBED);
        return;
    }
    keep_rest(one, buffer + taken, size - taken);
    if (totals.delivered > before) {
        window.reads += window.is_open || window.is_settling;
        after_delivery();
    }
}

void on_subscriber(struct source *source, uint32_t events) {
    struct subscriber *one = (struct subscriber *)source;
    if (one->state == STATE_CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            note_trouble("subscriber %u could not connect: %s", one->number, strerror(error));
            lose(one, true);
            return;
        }
        const struct request *head = &options.heads.list[one->number % options.heads.count];
        one->state = STATE_HANDSHAKE;
        watch_source(source, EPOLLIN);
        send_small(one, head->bytes, head->size);
    } else if (one->state != STATE_GONE) {
        on_bytes(one);
    }
}

void stall_subscribers(void) {
    for (uint32_t i = 0; i < options.stalled; i++)
        if (subscribers[i].state == STATE_SUBSCRIBED)
            watch_source(&subscribers[i].source, 0);
}

void resume_subscribers(void) {
    for (uint32_t i = 0; i < options.stalled; i++)
        if (subscribers[i].state == STATE_SUBSCRIBED)
            watch_source(&subscribers[i].source, EPOLLIN);
}
