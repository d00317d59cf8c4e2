/* Connections that send requests and await each answer before the next one on the same connection.
 *
 * Closed: every connection sends as soon as it is answered. Lockstep: one connection, which also waits until every
 * subscriber has the event, so that a server can never join two events. Paced: requests are due on a fixed schedule and
 * go out on the connection that has rested longest; what is due when all are busy waits, and its stamp is still the time
 * at which it was due. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

#define HEAD_BYTES 16384

struct publisher {
    struct source source;
    bool is_connected, is_ready, is_busy, is_gone, waits_for_room;
    uint32_t number, next_request;
    char *sending;               /* the request with its marks filled in */
    size_t sending_room, size, sent;
    int64_t stamp;
    char head[HEAD_BYTES];       /* the beginning of an answer: an HTTP head, or an incomplete line */
    size_t head_size;
    bool in_body;
    uint64_t body_left;
    struct publisher *next_free;
};

static struct publisher *publishers;
static struct publisher *first_free, *last_free;
static uint32_t ready, busy, next_read;
static uint32_t *sequence_of;
static bool is_publishing, is_draining;
static int64_t started_ns, stopped_ns;
static uint64_t due;             /* how many requests of the schedule were sent */
static char buffer[READ_BYTES];

static bool has_marks(void) { return options.requests.count > 0 && options.requests.list[0].marks > 0; }

/* How many sequences there are: one a request where there are several, else one a publisher. */
uint32_t lines(void) {
    if (options.publishers == 0)
        return options.lines;
    return options.requests.count > 1 ? options.requests.count : options.publishers;
}

bool all_publishers_ready(void) { return ready == options.publishers || totals.errors > 0; }
bool count_reached(void) { return options.count > 0 && requests_sent >= options.count; }
bool all_answered(void) { return busy == 0 && (next_due_ns() == INT64_MAX || totals.errors > 0); }

static void send_rest(struct publisher *one);

void open_publishers(void) {
    publishers = calloc(options.publishers, sizeof *publishers);
    sequence_of = calloc(lines(), sizeof *sequence_of);
    for (uint32_t i = 0; i < options.publishers; i++) {
        publishers[i].source = (struct source){SOURCE_PUBLISHER, -1};
        publishers[i].number = i;
        publishers[i].next_request = i % options.requests.count;
        open_connection(&options.publish_at, 0, &publishers[i].source);
    }
}

static void give_up(struct publisher *one) {
    totals.errors++;
    busy -= one->is_busy;
    one->is_busy = false;
    one->is_gone = true;
    drop_connection(&one->source);
}

static void write_hex(char *at, uint64_t value, int digits) {
    while (digits-- > 0) {
        at[digits] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

static void fill_marks(struct publisher *one, const struct request *request, uint32_t line) {
    for (uint32_t i = 0; i < request->marks; i++) {
        char *mark = one->sending + request->mark_at[i];
        write_hex(mark + MARK_HEAD, line, 4);
        write_hex(mark + MARK_HEAD + 4, ++sequence_of[line], 8);
        write_hex(mark + MARK_HEAD + 12, (uint64_t)one->stamp, 16);
    }
    if (options.subscribers > 0)
        totals.expected += request->marks * listeners_of(line);
}

/* With marks each request belongs to one publisher, so that its order is certain; without, they go round. */
static uint32_t choose(struct publisher *one) {
    if (!has_marks())
        return next_read++ % options.requests.count;
    uint32_t chosen = one->next_request;
    if (options.requests.count > 1) {
        one->next_request += options.publishers;
        if (one->next_request >= options.requests.count)
            one->next_request = one->number % options.requests.count;
    }
    return chosen;
}

static void send_request(struct publisher *one, int64_t stamp) {
    uint32_t chosen = choose(one);
    const struct request *request = &options.requests.list[chosen];
    if (one->sending_room < request->size)
        one->sending = realloc(one->sending, one->sending_room = request->size);
    memcpy(one->sending, request->bytes, request->size);
    one->size = request->size;
    one->sent = one->head_size = 0;
    one->in_body = false;
    one->stamp = stamp;
    one->is_busy = true;
    busy++;
    requests_sent++;
    window.requests += window.is_open;
    fill_marks(one, request, options.requests.count > 1 ? chosen : one->number);
    send_rest(one);
}

static void send_rest(struct publisher *one) {
    ssize_t sent = send(one->source.fd, one->sending + one->sent, one->size - one->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        note_trouble("publisher %u could not send: %s", one->number, strerror(errno));
        give_up(one);
        return;
    }
    one->sent += sent > 0 ? (size_t)sent : 0;
    bool has_rest = one->sent < one->size;
    if (has_rest != one->waits_for_room)
        watch_source(&one->source, has_rest ? EPOLLIN | EPOLLOUT : EPOLLIN);
    one->waits_for_room = has_rest;
}

static void become_free(struct publisher *one) {
    one->next_free = NULL;
    if (first_free == NULL)
        first_free = one;
    else
        last_free->next_free = one;
    last_free = one;
}

/* The one that has rested longest, NULL when all are busy. */
static struct publisher *take_free(void) {
    struct publisher *one;
    do {
        one = first_free;
        if (one != NULL)
            first_free = one->next_free;
    } while (one != NULL && one->is_gone);
    return one;
}

static bool may_send(void) { return is_publishing && !count_reached(); }

static void go_on(int64_t now) {
    if (options.mode == MODE_PACED) {
        publish_due(now);
        return;
    }
    if (options.mode == MODE_LOCKSTEP && totals.delivered < totals.expected)
        return;
    struct publisher *one;
    while (may_send() && (one = take_free()) != NULL)
        send_request(one, now_ns());
}

void after_delivery(void) {
    if (options.mode == MODE_LOCKSTEP)
        go_on(0);
}

void start_publishing(int64_t now) {
    is_publishing = true;
    started_ns = now;
    due = 0;
    go_on(now);
}

/* From now on nothing new; what was due by now on the schedule still goes out. */
void stop_publishing(void) {
    is_publishing = false;
    is_draining = options.mode == MODE_PACED;
    stopped_ns = now_ns();
}

static int64_t due_ns(void) { return started_ns + (int64_t)((double)due * 1e9 / options.rate); }

int64_t next_due_ns(void) {
    if (options.mode != MODE_PACED || (!may_send() && !is_draining))
        return INT64_MAX;
    int64_t at = due_ns();
    return is_draining && at >= stopped_ns ? INT64_MAX : at;
}

uint64_t unsent(void) {
    if (options.mode != MODE_PACED || stopped_ns == 0)
        return 0;
    double wanted = (double)(stopped_ns - started_ns) / 1e9 * options.rate;
    return wanted > (double)due + 1 ? (uint64_t)(wanted - (double)due) : 0;
}

void publish_due(int64_t now) {
    struct publisher *one;
    while (next_due_ns() <= now && (one = take_free()) != NULL) {
        int64_t stamp = due_ns();
        due++;
        send_request(one, stamp);
    }
}

static void take_answer(struct publisher *one, int64_t now) {
    one->is_busy = false;
    busy--;
    window.all_answers += window.is_open || window.is_settling;
    window.answers += window.is_open;
    if ((window.is_open || window.is_settling) && one->stamp >= window.began_ns)
        record(&window.answer_ns, now - one->stamp);
    become_free(one);
    go_on(now);
}

static void become_ready(struct publisher *one) {
    one->is_ready = true;
    ready++;
    become_free(one);
}

static bool refuse(struct publisher *one, const char *why) {
    note_trouble("publisher %u was answered %.*s (%s)", one->number, (int)strcspn(one->head, "\r\n"), one->head, why);
    give_up(one);
    return false;
}

/* Read the head of an answer. False when it is not a good one. */
static bool parse_head(struct publisher *one, size_t head_size) {
    int status = 0;
    one->head[head_size - 1] = '\0';
    if (sscanf(one->head, "HTTP/1.1 %d", &status) != 1 || status < 200 || status > 299)
        return refuse(one, "not a success");
    const char *length = strcasestr(one->head, "\r\ncontent-length:");
    if (length == NULL && status != 204)
        return refuse(one, "without Content-Length");
    one->body_left = length == NULL ? 0 : strtoull(length + 17, NULL, 10);
    one->in_body = true;
    return true;
}

/* Take a part of an HTTP answer; false when there is nothing more to take. */
static bool take_http(struct publisher *one, const char **at, const char *end, int64_t now) {
    size_t size = (size_t)(end - *at);
    if (!one->in_body) {
        size_t part = size < HEAD_BYTES - one->head_size ? size : HEAD_BYTES - one->head_size;
        memcpy(one->head + one->head_size, *at, part);
        const char *found = memmem(one->head, one->head_size + part, "\r\n\r\n", 4);
        if (found == NULL) {
            one->head_size += part;
            *at += part;
            return one->head_size < HEAD_BYTES || refuse(one, "a head too long");
        }
        size_t head_size = (size_t)(found - one->head) + 4;
        *at += head_size - one->head_size;
        if (!parse_head(one, head_size))
            return false;
        size = (size_t)(end - *at);
    }
    size_t part = size < one->body_left ? size : one->body_left;
    *at += part;
    one->body_left -= part;
    window.answer_bytes += window.is_open || window.is_settling ? part : 0;
    if (one->body_left > 0)
        return false;
    take_answer(one, now);
    return *at < end;
}

/* Take a line of a protocol that answers "+OK". */
static void take_line(struct publisher *one, int64_t now) {
    if (strncmp(one->head, "-ERR", 4) == 0) {
        refuse(one, "an error");
    } else if (strncmp(one->head, "PING", 4) == 0) {
        if (send(one->source.fd, "PONG\r\n", 6, MSG_NOSIGNAL) != 6)
            refuse(one, "a ping that could not be answered");
    } else if (strncmp(one->head, "+OK", 3) == 0) {
        if (one->is_busy)
            take_answer(one, now);
        else if (!one->is_ready)
            become_ready(one);
    }
}

static void take_lines(struct publisher *one, const char *at, const char *end, int64_t now) {
    for (; at < end && !one->is_gone; at++) {
        if (one->head_size < HEAD_BYTES - 1)
            one->head[one->head_size++] = *at;
        if (*at == '\n') {
            one->head[one->head_size] = '\0';
            one->head_size = 0;
            take_line(one, now);
        }
    }
}

static void on_answer(struct publisher *one) {
    ssize_t got = recv(one->source.fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 && !one->is_busy && !is_publishing) {
        /* A server may close what is idle, and all are idle while the last deliveries are awaited. */
        one->is_gone = true;
        drop_connection(&one->source);
        return;
    }
    if (got <= 0) {
        note_trouble("publisher %u lost its connection: %s", one->number, got == 0 ? "closed" : strerror(errno));
        give_up(one);
        return;
    }
    int64_t now = now_ns();
    const char *at = buffer, *end = buffer + got;
    if (!options.http)
        take_lines(one, at, end, now);
    else if (!one->is_busy)
        refuse(one, "an answer that was not asked for");
    else
        while (at < end && one->is_busy && take_http(one, &at, end, now))
            ;
}

static void on_connected(struct publisher *one) {
    one->is_connected = true;
    watch_source(&one->source, EPOLLIN);
    if (options.publish_first == NULL)
        become_ready(one);
    else if (send(one->source.fd, options.publish_first, options.publish_first_size, MSG_NOSIGNAL) < 0)
        give_up(one);
}

void on_publisher(struct source *source, uint32_t events) {
    struct publisher *one = (struct publisher *)source;
    if (!one->is_connected) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0) {
            on_connected(one);
            return;
        }
        note_trouble("publisher %u could not connect: %s", one->number, strerror(error));
        give_up(one);
        return;
    }
    if (events & EPOLLIN || events & (EPOLLERR | EPOLLHUP))
        on_answer(one);
    if ((events & EPOLLOUT) && !one->is_gone && one->waits_for_room)
        send_rest(one);
}
