/* The command line, and files of requests. Every option takes one value; there are no defaults to guess at. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct options options = {
    .framed = true, .http = true, .opening = 200, .patience_s = 60, .settle_s = 10, .lines = 1, .mode = MODE_CLOSED,
};

void fail(const char *format, ...) {
    va_list words;
    va_start(words, format);
    fputs("load_client: ", stderr);
    vfprintf(stderr, format, words);
    fputs("\n", stderr);
    va_end(words);
    exit(2);
}

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("cannot read %s", path);
    size_t room = 65536, got;
    char *bytes = malloc(room);
    *size = 0;
    while ((got = fread(bytes + *size, 1, room - *size, file)) > 0) {
        *size += got;
        if (*size == room)
            bytes = realloc(bytes, room *= 2);
    }
    fclose(file);
    return bytes;
}

static void find_marks(struct request *request) {
    char *at = request->bytes, *end = request->bytes + request->size;
    while ((at = memmem(at, (size_t)(end - at), MARK, MARK_HEAD)) != NULL && end - at >= MARK_BYTES) {
        request->mark_at = realloc(request->mark_at, (request->marks + 1) * sizeof *request->mark_at);
        request->mark_at[request->marks++] = (uint32_t)(at - request->bytes);
        at += MARK_BYTES;
    }
}

/* A file of requests: each its size in decimal, a newline, and its bytes. */
static struct requests read_requests(const char *path) {
    struct requests requests = {NULL, 0};
    size_t size, at = 0;
    char *bytes = read_file(path, &size);
    while (at < size) {
        char *end = memchr(bytes + at, '\n', size - at);
        size_t length = end == NULL ? 0 : (size_t)strtoull(bytes + at, NULL, 10);
        size_t from = end == NULL ? 0 : (size_t)(end - bytes) + 1;
        if (length == 0 || from + length > size)
            fail("%s is not a file of requests", path);
        requests.list = realloc(requests.list, (requests.count + 1) * sizeof *requests.list);
        requests.list[requests.count] = (struct request){bytes + from, length, 0, NULL};
        find_marks(&requests.list[requests.count++]);
        at = from + length;
    }
    if (requests.count == 0)
        fail("%s has no requests", path);
    return requests;
}

static struct sockaddr_in parse_address(const char *text) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    char host[64];
    unsigned port;
    if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || inet_pton(AF_INET, host, &at.sin_addr) != 1)
        fail("not an address: %s", text);
    at.sin_port = htons((uint16_t)port);
    return at;
}

static void parse_mode(const char *text) {
    if (strcmp(text, "closed") == 0)
        options.mode = MODE_CLOSED;
    else if (strcmp(text, "lockstep") == 0)
        options.mode = MODE_LOCKSTEP;
    else if (strcmp(text, "paced") == 0)
        options.mode = MODE_PACED;
    else
        fail("unknown mode: %s", text);
}

static bool parse_text_option(const char *name, const char *value) {
    if (strcmp(name, "--subscribe") == 0)
        options.subscribe_at = parse_address(value);
    else if (strcmp(name, "--publish") == 0)
        options.publish_at = parse_address(value);
    else if (strcmp(name, "--heads") == 0)
        options.heads = read_requests(value);
    else if (strcmp(name, "--requests") == 0)
        options.requests = read_requests(value);
    else if (strcmp(name, "--first") == 0)
        options.first = read_file(value, &options.first_size);
    else if (strcmp(name, "--publish-first") == 0)
        options.publish_first = read_file(value, &options.publish_first_size);
    else if (strcmp(name, "--ready") == 0)
        options.ready = strdup(value);
    else if (strcmp(name, "--framing") == 0)
        options.framed = strcmp(value, "websocket") == 0;
    else if (strcmp(name, "--answers") == 0)
        options.http = strcmp(value, "http") == 0;
    else if (strcmp(name, "--mode") == 0)
        parse_mode(value);
    else
        return false;
    return true;
}

static bool parse_number_option(const char *name, const char *value) {
    const struct {
        const char *name;
        uint32_t *whole;
        uint64_t *large;
        double *real;
    } numbers[] = {
        {"--subscribers", &options.subscribers, NULL, NULL}, {"--opening", &options.opening, NULL, NULL},
        {"--publishers", &options.publishers, NULL, NULL},   {"--lines", &options.lines, NULL, NULL},
        {"--stalled", &options.stalled, NULL, NULL},         {"--expect", NULL, &options.expect, NULL},
        {"--count", NULL, &options.count, NULL},             {"--rate", NULL, NULL, &options.rate},
        {"--warm", NULL, NULL, &options.warm_s},             {"--seconds", NULL, NULL, &options.seconds},
        {"--settle", NULL, NULL, &options.settle_s},         {"--patience", NULL, NULL, &options.patience_s},
        {"--idle", NULL, NULL, &options.idle_s},             {"--stall-after", NULL, NULL, &options.stall_after_s},
        {"--stall-for", NULL, NULL, &options.stall_for_s},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i].name) != 0)
            continue;
        if (numbers[i].whole != NULL)
            *numbers[i].whole = (uint32_t)strtoul(value, NULL, 10);
        else if (numbers[i].large != NULL)
            *numbers[i].large = strtoull(value, NULL, 10);
        else
            *numbers[i].real = strtod(value, NULL);
        return true;
    }
    return false;
}

void parse_options(int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            fail("%s has no value", argv[i]);
        if (strcmp(argv[i], "--watch") == 0) {
            if (options.watched_count == MAX_WATCHED)
                fail("more than %d processes to watch", MAX_WATCHED);
            options.watched[options.watched_count++] = atoi(argv[i + 1]);
        } else if (!parse_text_option(argv[i], argv[i + 1]) && !parse_number_option(argv[i], argv[i + 1])) {
            fail("unknown option: %s", argv[i]);
        }
    }
    if (options.subscribers > 0 && options.heads.count == 0)
        fail("subscribers need --heads");
    if (options.publishers > 0 && options.requests.count == 0)
        fail("publishers need --requests");
    if (options.mode == MODE_PACED && options.publishers > 0 && options.rate <= 0)
        fail("--mode paced needs a --rate");
    if (options.mode == MODE_LOCKSTEP && options.publishers > 1)
        fail("--mode lockstep is for one publisher");
    if (options.requests.count > 1 && options.requests.list[0].marks > 0 && options.publishers > options.requests.count)
        fail("more publishers than requests: two would share a sequence");
    if (options.stalled > options.subscribers)
        fail("more stalled subscribers than there are");
}
