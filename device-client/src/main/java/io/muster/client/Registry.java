package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The registry, as it is spoken to: one request and its answer, told from what is none. Remembers what its replies say in passing:
 * its time, and the nonce for the next DPoP proof. Thread-safe.
 */
final class Registry {

    /** The device's clock is not believed before: this is when devices that read it were first made. */
    private static final Instant PLAUSIBLE = Instant.parse("2026-01-01T00:00:00Z");

    private static final String JSON = "application/json";
    private static final String JSON_OR_SEALED = "application/jose, application/json";

    private final Transport transport;
    private final Waiting waiting;
    private final boolean plainHttpAllowed;
    private volatile ServerTime serverTime; // null: no reply yet
    private volatile String dpopNonce; // null: none was given out yet

    Registry(Transport transport, Waiting waiting, boolean plainHttpAllowed) {
        this.transport = transport;
        this.waiting = waiting;
        this.plainHttpAllowed = plainHttpAllowed;
    }

    /** What a 200 said. */
    record Answer(Map<String, Object> json, Optional<Instant> date) {

        /** Hides what was said. */
        @Override
        public String toString() {
            return "Answer[date=" + date + "]";
        }
    }

    private record ServerTime(Instant date, long received) {}

    /**
     * Posts an object and returns the one that is replied.
     *
     * @param replyKey opens a reply that was sealed for it; null if none was asked for
     */
    Answer post(URI uri, Map<String, ?> body, Map<String, String> headers, JoseKey replyKey, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        return post(uri, JSON, Json.write(body), headers, replyKey, limit);
    }

    /** Posts a form and returns the object that is replied. */
    Answer postForm(URI uri, Map<String, String> form, Map<String, String> headers, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        StringBuilder text = new StringBuilder();
        form.forEach((name, value) -> text.append(text.isEmpty() ? "" : "&")
                .append(encoded(name))
                .append('=')
                .append(encoded(value)));
        byte[] body = text.toString().getBytes(StandardCharsets.US_ASCII);
        return post(uri, "application/x-www-form-urlencoded", body, headers, null, limit);
    }

    /** Gets the object that is there. */
    Answer get(URI uri, Map<String, String> headers, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put("Accept", JSON);
        return answer(transport.get(uri, all, limit.left()), null);
    }

    private Answer post(
            URI uri, String contentType, byte[] body, Map<String, String> headers, JoseKey replyKey, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put("Accept", replyKey == null ? JSON : JSON_OR_SEALED);
        return answer(transport.post(uri, contentType, body, all, limit.left()), replyKey);
    }

    private Answer answer(Transport.Reply reply, JoseKey replyKey) throws RefusedException, NoAnswer {
        Optional<Instant> date = noted(reply.headers());
        int status = reply.status();
        if (status == 200) {
            return new Answer(object(reply.body(), replyKey), date);
        }
        if (status >= 400 && status < 500 && status != 408 && status != 429) {
            throw RefusedException.of(reply);
        }
        throw new NoAnswer(
                switch (status) {
                    case 202 -> "HTTP 202, waits for an operator's approval";
                    case 301, 302, 303, 307, 308 -> "HTTP " + status + ", a redirect, which is not followed";
                    default -> "HTTP " + status;
                },
                RetryAfter.in(reply.headers()).orElse(Duration.ZERO));
    }

    private Optional<Instant> noted(HttpHeaders headers) {
        headers.firstValue("DPoP-Nonce").ifPresent(nonce -> dpopNonce = nonce);
        Optional<Instant> date = RetryAfter.date(headers).map(time -> time.toInstant());
        date.ifPresent(time -> serverTime = new ServerTime(time, waiting.nanoTime()));
        return date;
    }

    /** By its first character, and not by the content type, which proxies change. */
    private static Map<String, Object> object(byte[] body, JoseKey replyKey) throws NoAnswer {
        String start = new String(body, StandardCharsets.ISO_8859_1).strip();
        try {
            return replyKey == null || !start.startsWith("ey")
                    ? Json.readObject(body)
                    : Json.readObject(Jwe.open(start, replyKey));
        } catch (IOException e) {
            throw new NoAnswer("HTTP 200 with a body that is " + e.getMessage());
        }
    }

    /** Gets a nonce, for a proof that needs no clock. */
    String nonce(URI address, Deadline limit) throws IOException, RefusedException, InterruptedException {
        Answer answer = post(at(address, "/nonce"), Map.of(), Map.of(), null, limit);
        return Json.text(answer.json(), "nonce").orElseThrow(() -> new NoAnswer("HTTP 200 without nonce"));
    }

    /** Returns the nonce for the next DPoP proof, or empty if the registry gave none out yet. */
    Optional<String> dpopNonce() {
        return Optional.ofNullable(dpopNonce);
    }

    /**
     * Returns the registry's time: from its last reply by the monotonic ticker, or before the first by the device's clock. Empty
     * if that one is obviously wrong.
     */
    Optional<Instant> time() {
        ServerTime known = serverTime;
        if (known != null) {
            return Optional.of(known.date().plusNanos(waiting.nanoTime() - known.received()));
        }
        return Optional.of(waiting.deviceTime()).filter(time -> time.isAfter(PLAUSIBLE));
    }

    /** Returns the address of one of the registry's endpoints. */
    static URI at(URI registry, String path) {
        return URI.create(withoutSlash(registry) + path);
    }

    /** Returns the address as the registry writes its own. */
    static String withoutSlash(URI registry) {
        return registry.toString().replaceFirst("/+$", "");
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    void requireGoodAddress(URI address) {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        boolean encrypted = scheme.equals("https");
        if (!encrypted && !scheme.equals("http")
                || address.getHost() == null
                || address.getRawUserInfo() != null
                || address.getRawQuery() != null
                || address.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "the registry's address is https://host[:port][/path], without user, query and fragment");
        }
        if (!encrypted && !plainHttpAllowed && !isLoopback(address.getHost())) {
            throw new IllegalArgumentException("http to " + address.getHost()
                    + " would send the secret for everybody to read; use https, or allow it for a try-out");
        }
    }

    /** By its spelling: a name that resolves to a loopback address today may resolve to another tomorrow. */
    private static boolean isLoopback(String host) {
        return host.equalsIgnoreCase("localhost")
                || host.equals("[::1]")
                || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }
}
