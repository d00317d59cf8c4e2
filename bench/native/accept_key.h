/* Sec-WebSocket-Accept (RFC 6455, 4.2.2): base64 of the SHA-1 of the client's key and a fixed text. */
#ifndef ACCEPT_KEY_H
#define ACCEPT_KEY_H
#include <stddef.h>

/* `out` gets 28 letters and a NUL; `key` may be of up to 64 bytes. */
void make_accept_key(const char *key, size_t size, char out[29]);

#endif
