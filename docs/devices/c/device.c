/*
 * A device of Muster: device <registry> <serial> <file> [attempts]
 *
 * Registers once, keeps its credential in the file, gets an access token and prints what the registry knows of it. The reply to
 * the registration is plain: nothing but TLS hides it on the way.
 *
 *     cc -std=c11 -Wall -Wextra -O2 -o device device.c -lcurl -lcrypto
 */
#define _POSIX_C_SOURCE 200809L

#include <curl/curl.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REFUSED = 1, USAGE = 2, UNAVAILABLE = 3, UNUSABLE = 4 };
enum { LONGEST = 300, MOST = 65536 };

struct identity {
    char serial[160], device_id[64], key[96], secret[160];
};

struct reply {
    char text[MOST + 1];
    size_t length;
};

static const char *registry;
static int attempts = 10;

static void end(int code, const char *what, const char *more) {
    fprintf(stderr, "%s%s\n", what, more);
    exit(code);
}

/* talking to the registry */

static size_t take(char *data, size_t size, size_t count, void *to) {
    struct reply *reply = to;
    size_t bytes = size * count;
    if (bytes > MOST - reply->length) {
        return 0; /* no reply of the registry is so long */
    }
    memcpy(reply->text + reply->length, data, bytes);
    reply->length += bytes;
    reply->text[reply->length] = '\0';
    return bytes;
}

/* Finds the end of a JSON string that begins after the quotation mark; NULL if there is none. */
static const char *end_of_string(const char *at) {
    for (; *at != '"'; at++) {
        if (*at == '\0' || (*at == '\\' && *++at == '\0')) {
            return NULL;
        }
    }
    return at;
}

/* Copies a text of the outermost object, which may hold letters, digits and .-_~ only; tells whether it is there. */
static int member(const char *json, const char *name, char *to, size_t size) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~";
    int depth = 0;
    for (const char *at = json; *at != '\0'; at++) {
        if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
        } else if (*at == '"') {
            const char *begin = at + 1;
            at = end_of_string(begin);
            if (at == NULL) {
                return 0;
            }
            const char *after = at + 1 + strspn(at + 1, " \t\r\n");
            if (depth != 1 || *after != ':' || strlen(name) != (size_t)(at - begin)
                || strncmp(begin, name, strlen(name)) != 0) {
                continue;
            }
            after += 1 + strspn(after + 1, " \t\r\n");
            size_t length = *after == '"' ? strspn(after + 1, plain) : 0;
            if (length == 0 || after[1 + length] != '"' || length >= size) {
                return 0;
            }
            memcpy(to, after + 1, length);
            to[length] = '\0';
            return 1;
        }
    }
    return 0;
}

/* Waits with full jitter, capped, and never less than Retry-After. */
static void pause_after(int attempt, curl_off_t retry_after, long status) {
    double range = attempt < 10 ? 1 << (attempt - 1) : LONGEST;
    range = retry_after / 2.0 > range ? retry_after / 2.0 : range;
    range = range > LONGEST ? LONGEST : range;
    unsigned int drawn;
    if (RAND_bytes((unsigned char *)&drawn, sizeof drawn) != 1) {
        end(UNUSABLE, "no random numbers", "");
    }
    double wait = retry_after + range * drawn / UINT_MAX;
    fprintf(stderr, "answered %ld; again in %.1f s\n", status, wait);
    struct timespec left = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
    while (nanosleep(&left, &left) != 0) {
        continue;
    }
}

/* Asks until there is an answer that has this member. Gets with an access token, else posts. No redirect is followed. */
static void call(const char *path, const char *must_have, const char *type, const char *body,
                 const struct identity *basic, const char *token, struct reply *reply) {
    char value[8192], address[1024];
    if (snprintf(address, sizeof address, "%s%s", registry, path) >= (int)sizeof address) {
        end(USAGE, "the address is too long", "");
    }
    for (int attempt = 1;; attempt++) {
        CURL *curl = curl_easy_init();
        if (curl == NULL) {
            end(UNUSABLE, "no curl", "");
        }
        struct curl_slist *headers = NULL;
        reply->length = 0;
        reply->text[0] = '\0';
        curl_easy_setopt(curl, CURLOPT_URL, address);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
        if (body != NULL) {
            snprintf(value, sizeof value, "Content-Type: %s", type);
            headers = curl_slist_append(headers, value);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        }
        if (basic != NULL) {
            curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
            curl_easy_setopt(curl, CURLOPT_USERNAME, basic->key);
            curl_easy_setopt(curl, CURLOPT_PASSWORD, basic->secret);
        }
        if (token != NULL) {
            snprintf(value, sizeof value, "Authorization: Bearer %s", token);
            headers = curl_slist_append(headers, value);
        }
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

        long status = 0;
        curl_off_t retry_after = 0;
        CURLcode sent = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);

        if (sent != CURLE_OK) {
            status = 0;
        } else if (status == 200 && member(reply->text, must_have, value, sizeof value)) {
            return;
        } else if (status >= 400 && status < 500 && status != 408 && status != 429) {
            fprintf(stderr, "%s answered %ld: ", path, status);
            end(REFUSED, reply->text, "");
        }
        if (attempt >= attempts) {
            end(UNAVAILABLE, "no answer: ", sent == CURLE_OK ? "not now" : curl_easy_strerror(sent));
        }
        pause_after(attempt, retry_after, status);
    }
}

/* the file */

static void force(const char *path, int flags) {
    int descriptor = open(path, flags);
    if (descriptor < 0 || fsync(descriptor) != 0 || close(descriptor) != 0) {
        perror(path);
        exit(UNUSABLE);
    }
}

/* Beside, forced to the disk, renamed: a power cut leaves the old file or the new one. */
static void save(const char *file, const struct identity *me) {
    char beside[PATH_MAX], directory[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.tmp", file) >= (int)sizeof beside) {
        end(USAGE, "the path is too long", "");
    }
    strcpy(directory, beside);
    unlink(beside);
    int descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (out == NULL
        || fprintf(out, "%s\n%s\n%s\n%s\n", me->serial, me->device_id, me->key, me->secret) < 0
        || fflush(out) != 0 || fsync(descriptor) != 0 || fclose(out) != 0 || rename(beside, file) != 0) {
        perror(beside);
        exit(UNUSABLE);
    }
    force(dirname(directory), O_RDONLY | O_DIRECTORY);
}

static int line(FILE *in, char *to, size_t size) {
    if (fgets(to, (int)size, in) == NULL) {
        return 0;
    }
    size_t length = strcspn(to, "\n");
    int whole = to[length] == '\n';
    to[length] = '\0';
    return whole && length > 0;
}

/* Tells whether there is one. Never registers over a file that it cannot use: it may be the only copy of a credential. */
static int load(const char *file, const char *serial, struct identity *me) {
    if (access(file, F_OK) != 0) {
        return 0;
    }
    FILE *in = fopen(file, "r");
    if (in == NULL || !line(in, me->serial, sizeof me->serial) || !line(in, me->device_id, sizeof me->device_id)
        || !line(in, me->key, sizeof me->key) || !line(in, me->secret, sizeof me->secret)
        || strcmp(me->serial, serial) != 0) {
        end(UNUSABLE, file, " is not of this device");
    }
    fclose(in);
    return 1;
}

/* the device */

static void enrol(const char *file, struct identity *me, struct reply *reply) {
    char body[512] = "{\"serial\":\"";
    size_t at = strlen(body);
    for (const char *from = me->serial; *from != '\0'; from++) {
        if (*from == '"' || *from == '\\') {
            body[at++] = '\\';
        }
        body[at++] = *from;
    }
    strcpy(body + at, "\"}");
    call("/register", "secret", "application/json", body, NULL, NULL, reply);
    if (!member(reply->text, "deviceId", me->device_id, sizeof me->device_id)
        || !member(reply->text, "key", me->key, sizeof me->key)
        || !member(reply->text, "secret", me->secret, sizeof me->secret)) {
        end(UNAVAILABLE, "answered something else", "");
    }
    save(file, me);
    fprintf(stderr, "registered as %s\n", me->device_id);
}

int main(int argc, char **argv) {
    if (argc < 4 || strlen(argv[2]) > 128) {
        end(USAGE, "usage: device <registry> <serial> <file> [attempts]", "");
    }
    registry = argv[1];
    if (argv[1][0] != '\0' && argv[1][strlen(argv[1]) - 1] == '/') {
        argv[1][strlen(argv[1]) - 1] = '\0';
    }
    if (strncmp(registry, "https://", 8) != 0 && strncmp(registry, "http://127.0.0.1:", 17) != 0
        && strncmp(registry, "http://localhost:", 17) != 0) {
        end(UNUSABLE, "not without TLS", "");
    }
    if (strchr(registry, '@') != NULL) {
        end(UNUSABLE, "no user in the address", "");
    }
    if (argc > 4) {
        attempts = atoi(argv[4]);
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        end(UNUSABLE, "no curl", "");
    }

    static struct reply reply;
    static struct identity me;
    if (!load(argv[3], argv[2], &me)) {
        strcpy(me.serial, argv[2]);
        enrol(argv[3], &me, &reply);
    }
    fprintf(stderr, "I am %s\n", me.device_id); /* known without a network from the second start on */

    char token[4096];
    call("/token", "access_token", "application/x-www-form-urlencoded", "grant_type=client_credentials", &me, NULL, &reply);
    if (!member(reply.text, "access_token", token, sizeof token)) {
        end(UNAVAILABLE, "answered something else", "");
    }
    call("/devices/me", "deviceId", NULL, NULL, NULL, token, &reply);
    puts(reply.text);

    OPENSSL_cleanse(&me, sizeof me);
    OPENSSL_cleanse(token, sizeof token);
    curl_global_cleanup();
    return 0;
}
