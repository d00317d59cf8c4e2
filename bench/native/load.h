/* The load client: one thread, one epoll, no locks. What its parts share.
 *
 *   load_client.c   the phases of a run, and the loop
 *   options.c       the command line, and files of requests
 *   subscriber.c    readers: WebSockets or plain streams
 *   marks.c         the check of every event that they get
 *   publisher.c     connections that send requests: closed loop, lockstep, or on a fixed schedule
 *   answers.c       what they are answered: HTTP/1.1, or lines
 *   histogram.c     log-linear counts of nanoseconds
 *   watch.c         CPU time and resident memory of the servers under test
 *   report.c        the result, as one JSON object on stdout
 *
 * An event carries a mark in its data: "mark=" LINE(4) SEQUENCE(8) STAMP(16), all hex. LINE tells apart the sequences
 * whose order is certain: one publisher, or one channel where there are many. STAMP is CLOCK_MONOTONIC in nanoseconds:
 * when the event was sent or, on a schedule, when it was due (so a client that falls behind hides nothing).
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MARK "mark="
#define MARK_HEAD 5
#define MARK_BYTES (MARK_HEAD + 4 + 8 + 16)
#define MAX_WATCHED 64
#define MAX_CORES 64
#define READ_BYTES (256 * 1024)

enum mode { MODE_CLOSED, MODE_LOCKSTEP, MODE_PACED };
enum kind { SOURCE_SUBSCRIBER, SOURCE_PUBLISHER, SOURCE_TIMER };

/* The first member of everything that epoll reports. */
struct source {
    enum kind kind;
    int fd;
};

/* A request as bytes, and where its marks are. */
struct request {
    char *bytes;
    size_t size;
    uint32_t marks;
    uint32_t *mark_at;
};

struct requests {
    struct request *list;
    uint32_t count;
};

struct options {
    struct sockaddr_in subscribe_at, publish_at;
    struct requests heads;   /* requests that open a subscription; number i is used by subscribers i, i + count, ... */
    char *first;             /* what a subscriber sends after its handshake, NULL for nothing */
    size_t first_size;
    char *ready;             /* what a subscriber waits for before it counts as subscribed, NULL for nothing */
    bool framed;             /* WebSocket frames, or a plain stream of bytes after the head */
    uint32_t subscribers, opening;
    uint64_t expect;         /* events that each subscriber shall have before it counts as caught up, 0 for none */
    uint32_t lines;          /* how many sequences there are, when nobody publishes here */
    double patience_s;       /* the longest wait for connections and for catching up */
    double idle_s;
    struct requests requests;
    char *publish_first;     /* what a publisher sends once, before its requests */
    size_t publish_first_size;
    bool http;               /* answers are HTTP, or lines of which "+OK" is one */
    uint32_t publishers;
    enum mode mode;
    double rate;             /* requests a second, all publishers together */
    double warm_s, seconds, settle_s;
    uint64_t count;          /* end after so many requests instead, 0 for no bound */
    uint32_t stalled;        /* the first so many subscribers stop reading for a while */
    double stall_after_s, stall_for_s;
    int watched[MAX_WATCHED];
    int watched_count;
};

/* Counts of nanoseconds in buckets of at most 1/64 of their value. */
#define SUB_BITS 6
#define BUCKETS ((48 - SUB_BITS + 1) << SUB_BITS)
struct histogram {
    uint64_t counts[BUCKETS];
};

/* What the watched processes used, and what each core of the machine did for anybody. */
struct usage {
    uint64_t user_us[MAX_WATCHED], system_us[MAX_WATCHED];
    uint64_t rss_bytes[MAX_WATCHED];
    uint64_t busy_us[MAX_CORES], stolen_us[MAX_CORES];
    int cores;
};

struct totals {
    uint64_t expected, delivered;             /* since the beginning */
    uint64_t gaps, duplicates, stray;         /* events skipped, seen again, of a line that is not ours */
    uint64_t refused, closed, errors;         /* handshakes, connections, requests that did not go as they should */
    char trouble[200];                        /* the first of these, in words */
};

/* What is counted between the end of the warm-up and the end of the run. */
struct window {
    bool is_open, is_settling;
    int64_t began_ns, ended_ns, settled_ns;
    uint64_t deliveries;                      /* until ended */
    uint64_t all_deliveries;                  /* until settled, as the CPU time is */
    uint64_t reads;                           /* recv calls that brought events, until settled */
    uint64_t requests, answers;               /* sent and answered, until ended */
    uint64_t all_answers, answer_bytes;       /* until settled */
    struct histogram delivery_ns, answer_ns;
};

extern struct options options;
extern struct totals totals;
extern struct window window;
extern struct histogram caught_up_ns;
extern int epoll_fd;
extern uint64_t requests_sent;

/* options.c */
void parse_options(int argc, char **argv);
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* load_client.c */
int64_t now_ns(void);
int open_connection(const struct sockaddr_in *at, int receive_buffer, struct source *source);
void watch_source(struct source *source, uint32_t events);
void drop_connection(struct source *source);
void note_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* subscriber.c */
void make_subscribers(void);
void open_subscribers(void);
void on_subscriber(struct source *source, uint32_t events);
uint64_t listeners_of(uint32_t line);
bool all_subscribed(void);
uint32_t subscribers_open(void);
void stall_subscribers(void);
void resume_subscribers(void);

/* marks.c */
bool all_caught_up(void);

/* publisher.c */
uint32_t lines(void);
void open_publishers(void);
void on_publisher(struct source *source, uint32_t events);
bool all_publishers_ready(void);
bool all_answered(void);
bool count_reached(void);
void start_publishing(int64_t now);
void stop_publishing(void);
void publish_due(int64_t now);
int64_t next_due_ns(void);   /* INT64_MAX when nothing is due by the clock */
void after_delivery(void);
uint64_t unsent(void);       /* requests of the schedule that never went out */

/* histogram.c */
void record(struct histogram *histogram, int64_t ns);
void print_histogram(FILE *out, const char *name, const struct histogram *histogram);

/* watch.c */
void look(struct usage *usage);    /* the CPU times, also the cores' */
void weigh(struct usage *usage);   /* the memory */
int64_t own_cpu_us(void);

/* report.c */
struct snapshots {
    int64_t began_ns, subscribed_ns, caught_up_ns;
    bool did_settle;
    struct usage start, subscribed, caught_up, idle, open, settled, stalled, resumed;
    int64_t own_start_us, own_caught_up_us, own_open_us, own_settled_us;
};
void print_report(const struct snapshots *seen);

#endif
