/* One publisher's connection, and what its two halves ask of each other: publisher.c sends, answers.c reads answers. */
#ifndef PUBLISHER_H
#define PUBLISHER_H
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

/* publisher.c */
void become_ready(struct publisher *one);
void take_answer(struct publisher *one, int64_t now);
void give_up(struct publisher *one);

/* answers.c */
void take_bytes(struct publisher *one, const char *at, const char *end, int64_t now);

#endif
