/* Answers to publishers, in whatever pieces they come: HTTP/1.1, or lines of which "+OK" is one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "publisher.h"

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

/* Take in what came from `at` to `end`. */
void take_bytes(struct publisher *one, const char *at, const char *end, int64_t now) {
    if (!options.http)
        take_lines(one, at, end, now);
    else if (!one->is_busy)
        refuse(one, "an answer that was not asked for");
    else
        while (at < end && one->is_busy && take_http(one, &at, end, now))
            ;
}
