/* A custom runtime over one raw socket: what an event asks for, in plain HTTP/1.1.
 *
 * "fill N": a JSON string of N bytes. "chunked N": the same, chunked and streamed. "broken": a stream that ends in an
 * error, told by trailers. "fail": an error. "size": the number of bytes of the event. Anything else comes back. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int api;
static char head[65536], *body;
static size_t body_size;
static int status;

static void send_all(const char *data, size_t size) {
    while (size > 0) {
        ssize_t sent = write(api, data, size);
        if (sent <= 0) exit(3);
        data += sent;
        size -= sent;
    }
}

static void receive(void) {
    size_t size = 0;
    char *end;
    while ((head[size] = 0, end = strstr(head, "\r\n\r\n")) == NULL) {
        ssize_t got = read(api, head + size, 1);
        if (got <= 0) exit(4);
        size += got;
    }
    char *length = strstr(head, "Content-Length: ");
    status = atoi(head + 9);
    body_size = length ? strtoul(length + 16, NULL, 10) : 0;
    body = realloc(body, body_size + 1);
    for (size_t at = 0; at < body_size;) {
        ssize_t got = read(api, body + at, body_size - at);
        if (got <= 0) exit(5);
        at += got;
    }
    body[body_size] = 0;
}

static void reply(const char *id, const char *kind, const char *extra, const char *data, size_t size) {
    char request[1024];
    int n = snprintf(request, sizeof request,
                     "POST /2018-06-01/runtime/invocation/%s/%s HTTP/1.1\r\nHost: api\r\n%sContent-Length: %zu\r\n\r\n",
                     id, kind, extra, size);
    send_all(request, n);
    send_all(data, size);
    receive();
}

static char *filled(size_t size) {
    char *data = malloc(size);
    memset(data, 'x', size);
    data[0] = data[size - 1] = '"';
    return data;
}

static void stream(const char *id, size_t size, const char *trailers) {
    char line[1024];
    int n = snprintf(line, sizeof line,
                     "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: api\r\n"
                     "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"
                     "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n", id);
    send_all(line, n);
    char *data = filled(size);
    for (size_t at = 0; at < size;) {
        size_t piece = size - at < 70001 ? size - at : 70001;
        send_all(line, snprintf(line, sizeof line, "%zx\r\n", piece));
        send_all(data + at, piece);
        send_all("\r\n", 2);
        at += piece;
    }
    free(data);
    send_all("0\r\n", 3);
    send_all(trailers, strlen(trailers));
    send_all("\r\n", 2);
    receive();
}

int main(void) {
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    char host[64] = {0};
    sscanf(address, "%63[^:]", host);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(strchr(address, ':') + 1))};
    inet_pton(AF_INET, host, &to.sin_addr);
    api = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(api, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(api, (struct sockaddr *)&to, sizeof to)) return 2;
    for (int count = 1;; count++) {
        const char *next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n";
        send_all(next, strlen(next));
        receive();
        char id[64] = {0}, text[64];
        sscanf(strstr(head, "Lambda-Runtime-Aws-Request-Id: "), "Lambda-Runtime-Aws-Request-Id: %63s", id);
        size_t size = 0;
        if (sscanf(body, "\"fill %zu\"", &size) == 1) {
            char *data = filled(size);
            reply(id, "response", "", data, size);
            free(data);
            printf("answered %d\n", status);
            fflush(stdout);
        } else if (sscanf(body, "\"chunked %zu\"", &size) == 1) {
            stream(id, size, "");
        } else if (!strcmp(body, "\"broken\"")) {
            stream(id, 100, "Lambda-Runtime-Function-Error-Type: Mine.Broke\r\n"
                            "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiAiTWluZS5Ccm9rZSIsICJlcnJvck1lc3NhZ2Ui"
                            "OiAiaGFsZndheSJ9\r\n");
        } else if (!strcmp(body, "\"fail\"")) {
            const char *error = "{\"errorType\": \"Mine.Failed\", \"errorMessage\": \"as asked\"}";
            reply(id, "error", "Lambda-Runtime-Function-Error-Type: Mine.Failed\r\n", error, strlen(error));
        } else if (body_size > 1000) {
            reply(id, "response", "", text, snprintf(text, sizeof text, "%zu", body_size));
        } else {
            reply(id, "response", "", body, body_size);
        }
    }
}
