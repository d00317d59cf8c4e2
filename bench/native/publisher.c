/* Connections that send requests and await each answer before the next one on the same connection.
 *
 * Closed: every connection sends as soon as it is answered. Lockstep: one connection, which also waits until every
 * subscriber has the event, so that a server can never join two events. Paced: requests are due on a fixed schedule and
 * go out on the connection that has rested longest; what is due when all are busy waits, and its stamp is still the time
 * at which it was due. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "publisher.h"

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

void give_up(struct publisher *one) {
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

void take_answer(struct publisher *one, int64_t now) {
    one->is_busy = false;
    busy--;
    window.all_answers += window.is_open || window.is_settling;
    window.answers += window.is_open;
    if ((window.is_open || window.is_settling) && one->stamp >= window.began_ns)
        record(&window.answer_ns, now - one->stamp);
    become_free(one);
    go_on(now);
}

void become_ready(struct publisher *one) {
    one->is_ready = true;
    ready++;
    become_free(one);
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
    take_bytes(one, buffer, buffer + got, now);
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
