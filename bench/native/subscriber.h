/* One reader's connection, and what its two halves ask of each other: subscriber.c reads, marks.c checks what came. */
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H
#include "load.h"

enum state { STATE_NEW, STATE_CONNECTING, STATE_HANDSHAKE, STATE_READY_WAIT, STATE_SUBSCRIBED, STATE_GONE };

struct subscriber {
    struct source source;
    enum state state;
    bool is_stalling, is_caught_up;
    uint32_t number;
    uint32_t mark_offset;   /* where the mark was in the last frame: it mostly is there again */
    int64_t opened_ns;
    uint64_t events;
    uint32_t *seen;         /* by sequence: the number last received */
    char *rest;             /* an incomplete end, to be put before what comes next */
    size_t rest_size;
};

/* marks.c */

/* Whether each subscriber has a sequence of its own, that of its channel. */
bool has_own_line(void);

/* Take the marks of a stretch of bytes; answers where the next one might begin, so where an incomplete end is. */
const char *take_marks(struct subscriber *one, const char *at, const char *end, int64_t now);

#endif
