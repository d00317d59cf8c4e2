/* The phases of a run: subscribe, catch up, rest, warm up, measure, settle, report.
 *
 * A run that goes wrong is not an error of this program: it ends early and the report says what happened. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define EVENTS 256

struct totals totals;
struct window window;
struct histogram caught_up_ns;
int epoll_fd;
uint64_t requests_sent;

static struct source timer = {SOURCE_TIMER, -1};
static int64_t stall_ns = INT64_MAX, resume_ns = INT64_MAX;
static struct snapshots seen;

int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void note_trouble(const char *format, ...) {
    va_list words;
    if (totals.trouble[0] != '\0')
        return;
    va_start(words, format);
    vsnprintf(totals.trouble, sizeof totals.trouble, format, words);
    va_end(words);
}

int open_connection(const struct sockaddr_in *at, int receive_buffer, struct source *source) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* A reset at the end: thousands of connections a run must not leave their ports in TIME_WAIT. */
    struct linger reset = {1, 0};
    if (fd < 0)
        fail("cannot open a socket: %s (see ulimit -n)", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    source->fd = fd;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = source};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) < 0 && errno != EINPROGRESS)
        fail("cannot connect: %s", strerror(errno));
    return fd;
}

void watch_source(struct source *source, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = source};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void drop_connection(struct source *source) {
    close(source->fd);
    source->fd = -1;
}

static void dispatch(struct epoll_event *event) {
    struct source *source = event->data.ptr;
    uint64_t ticks;
    if (source->kind == SOURCE_TIMER) {
        if (read(source->fd, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
            fail("the timer does not work: %s", strerror(errno));
    } else if (source->fd >= 0) {
        if (source->kind == SOURCE_SUBSCRIBER)
            on_subscriber(source, event->events);
        else
            on_publisher(source, event->events);
    }
}

static void on_clock(int64_t now) {
    if (now >= stall_ns) {
        stall_ns = INT64_MAX;
        weigh(&seen.stalled);
        stall_subscribers();
    }
    if (now >= resume_ns) {
        resume_ns = INT64_MAX;
        weigh(&seen.resumed);
        resume_subscribers();
    }
    if (next_due_ns() <= now)
        publish_due(now);
}

static int64_t earliest(int64_t deadline_ns) {
    int64_t first = deadline_ns, due = next_due_ns();
    if (due < first)
        first = due;
    if (stall_ns < first)
        first = stall_ns;
    return resume_ns < first ? resume_ns : first;
}

static void set_timer(int64_t at_ns) {
    static int64_t set_ns;
    if (at_ns == set_ns)
        return;
    set_ns = at_ns;
    struct itimerspec spec = {.it_value = {at_ns / 1000000000, at_ns % 1000000000}};
    timerfd_settime(timer.fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static bool never(void) { return false; }

/* Serve events until `done`, at most for so many seconds; whether it is done. */
static bool run_until(bool (*done)(void), double seconds) {
    int64_t deadline_ns = now_ns() + (int64_t)(seconds * 1e9);
    struct epoll_event events[EVENTS];
    while (!done()) {
        int64_t now = now_ns();
        if (now >= deadline_ns)
            return false;
        /* A publisher that waits for its turn has a due time in the past: only a free connection lets it go. */
        int64_t at = earliest(deadline_ns);
        set_timer(at > now ? at : deadline_ns);
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            dispatch(&events[i]);
            /* Between readers too: a sweep of thousands of them must not delay what is due. */
            if (stall_ns != INT64_MAX || resume_ns != INT64_MAX || next_due_ns() != INT64_MAX)
                on_clock(now_ns());
        }
    }
    return true;
}

static bool is_broken(void) { return totals.refused + totals.closed + totals.errors > 0; }
static bool is_settled(void) {
    return is_broken() || (all_answered() && totals.delivered + totals.duplicates >= totals.expected);
}
static bool measured(void) { return is_broken() || (count_reached() && all_answered()); }

static bool subscribe(void) {
    look(&seen.start);
    weigh(&seen.start);
    seen.own_start_us = own_cpu_us();
    seen.began_ns = now_ns();
    if (options.subscribers > 0) {
        make_subscribers();
        open_subscribers();
        if (!run_until(all_subscribed, options.patience_s))
            note_trouble("%u of %u subscribed within %.0f s", subscribers_open(), options.subscribers, options.patience_s);
    }
    seen.subscribed_ns = now_ns();
    look(&seen.subscribed);
    if (options.expect > 0 && !is_broken() && !run_until(all_caught_up, options.patience_s))
        note_trouble("not all caught up within %.0f s", options.patience_s);
    seen.caught_up_ns = now_ns();
    seen.own_caught_up_us = own_cpu_us();
    look(&seen.caught_up);
    if (options.idle_s > 0 && !is_broken())
        run_until(never, options.idle_s);
    weigh(&seen.idle);
    return !is_broken() && subscribers_open() == options.subscribers;
}

static void measure(void) {
    open_publishers();
    if (!run_until(all_publishers_ready, options.patience_s) || is_broken()) {
        note_trouble("not all publishers are connected");
        totals.errors++;
        return;
    }
    start_publishing(now_ns());
    if (options.warm_s > 0)
        run_until(is_broken, options.warm_s);
    look(&seen.open);
    seen.own_open_us = own_cpu_us();
    window.began_ns = now_ns();
    window.is_open = true;
    if (options.stall_for_s > 0) {
        stall_ns = window.began_ns + (int64_t)(options.stall_after_s * 1e9);
        resume_ns = stall_ns + (int64_t)(options.stall_for_s * 1e9);
    }
    run_until(measured, options.seconds);
    window.ended_ns = now_ns();
    window.is_open = false;
    window.is_settling = true;
    stop_publishing();
    seen.did_settle = run_until(is_settled, options.settle_s);
    window.settled_ns = now_ns();
    seen.own_settled_us = own_cpu_us();
    look(&seen.settled);
}

int main(int argc, char **argv) {
    struct rlimit files;
    parse_options(argc, argv);
    prctl(PR_SET_PDEATHSIG, 15);
    prctl(PR_SET_TIMERSLACK, 1000);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &timer};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer.fd, &event);
    if (subscribe() && options.publishers > 0)
        measure();
    print_report(&seen);
    return 0;
}
