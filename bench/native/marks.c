/* The check of every event: each reader keeps what it was last sent of every sequence, so that a gap, a repetition and a
 * stray event are seen at once. */
#include <string.h>

#include "subscriber.h"

static uint32_t caught_up;

bool has_own_line(void) { return options.heads.count > 1; }
bool all_caught_up(void) { return caught_up == options.subscribers || totals.refused + totals.closed > 0; }

static uint64_t parse_hex(const char *text, int digits) {
    uint64_t value = 0;
    for (int i = 0; i < digits; i++) {
        unsigned char c = (unsigned char)text[i];
        value = value << 4 | (uint64_t)((c & 15) + (c >> 6) * 9);
    }
    return value;
}

static void take_mark(struct subscriber *one, const char *mark, int64_t now) {
    uint32_t line = (uint32_t)parse_hex(mark + MARK_HEAD, 4);
    uint32_t sequence = (uint32_t)parse_hex(mark + MARK_HEAD + 4, 8);
    int64_t stamp = (int64_t)parse_hex(mark + MARK_HEAD + 12, 16);
    bool is_ours = has_own_line() ? line == one->number % options.heads.count : line < lines();
    if (!is_ours) {
        totals.stray++;
        note_trouble("subscriber %u got an event of sequence %u", one->number, line);
        return;
    }
    uint32_t *seen = &one->seen[has_own_line() ? 0 : line];
    if (sequence <= *seen) {
        totals.duplicates++;
        note_trouble("subscriber %u got event %u of sequence %u again", one->number, sequence, line);
        return;
    }
    if (sequence > *seen + 1) {
        totals.gaps += sequence - *seen - 1;
        note_trouble("subscriber %u got event %u of sequence %u after %u", one->number, sequence, line, *seen);
    }
    *seen = sequence;
    one->events++;
    totals.delivered++;
    if (!one->is_caught_up && options.expect > 0 && one->events >= options.expect) {
        one->is_caught_up = true;
        caught_up++;
        record(&caught_up_ns, now - one->opened_ns);
    }
    if (window.is_open || window.is_settling) {
        window.all_deliveries++;
        window.deliveries += window.is_open;
        if (stamp >= window.began_ns && !one->is_stalling)
            record(&window.delivery_ns, now - stamp);
    }
}

const char *take_marks(struct subscriber *one, const char *at, const char *end, int64_t now) {
    const char *usual = at + one->mark_offset;
    if (one->mark_offset > 0 && end - usual >= MARK_BYTES && memcmp(usual, MARK, MARK_HEAD) == 0) {
        take_mark(one, usual, now);
        at = usual + MARK_BYTES;
    } else {
        const char *found = memmem(at, (size_t)(end - at), MARK, MARK_HEAD);
        if (found != NULL && end - found >= MARK_BYTES)
            one->mark_offset = (uint32_t)(found - at);
    }
    const char *mark;
    while ((mark = memmem(at, (size_t)(end - at), MARK, MARK_HEAD)) != NULL && end - mark >= MARK_BYTES) {
        take_mark(one, mark, now);
        at = mark + MARK_BYTES;
    }
    if (mark != NULL)
        return mark;
    return end - at < MARK_BYTES ? at : end - MARK_BYTES + 1;
}
