// SPDX-License-Identifier: Apache-2.0
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
 * Talks to the registry: sends one request, and separates answers from other replies. Remembers the registry's time and
 * the nonce for the next DPoP proof, which come with its replies. Thread-safe.
 */
final class Registry {

    /** A device's clock is not trusted before this time: devices that read it were first made then. */
    private static final Instant PLAUSIBLE = Instant.parse("2026-01-01T00:00:00Z");

    private static final int PENDING = 202;
    private static final int NOT_MODIFIED = 304;

    /** How long to wait for a decision if the registry names no time. */
    private static final Duration UNTIL_DECIDED = Duration.ofMinutes(1);

    private static final String JSON = "application/json";
    private static final String JSON_OR_SEALED = "application/jose, application/json";

    private final Transport transport;
    private final Waiting waiting;
    private final Optional<URI> configured;
    private final Optional<URI> audience;
    private final boolean plainHttpAllowed;
    /** The registry's time when the monotonic clock was zero, by its last reply. */
    private volatile Optional<Instant> zero = Optional.empty();

    private volatile Optional<String> dpopNonce = Optional.empty();

    /**
     * Makes no request yet.
     *
     * @throws IllegalArgumentException if the settings have an address that is not acceptable
     */
    Registry(Transport transport, DeviceClient.Builder settings) {
        this.transport = transport;
        this.waiting = settings.waiting;
        this.configured = settings.registry;
        this.audience = settings.audience;
        this.plainHttpAllowed = settings.plainHttpAllowed;
        if (configured.isPresent()) {
            requireGood(configured.get());
        }
    }

    /**
     * The content of a reply with status 200 or 201, or nothing of one with 304 that was asked for.
     *
     * @param json empty if the status is 304
     * @param tag the entity tag
     */
    record Answer(Map<String, Object> json, Optional<Instant> date, Optional<String> tag) {

        boolean isNotModified() {
            return json.isEmpty();
        }

        /** Hides the content. */
        @Override
        public String toString() {
            return "Answer[date=" + date + "]";
        }
    }

    /**
     * Posts an object and returns the object of the reply.
     *
     * @param replyKey opens a reply that was sealed for it; null if none was asked for
     */
    Answer post(URI uri, Map<String, ?> body, Map<String, String> headers, JoseKey replyKey, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        return post(uri, JSON, Json.write(body), headers, replyKey, limit);
    }

    /** Posts a form and returns the object of the reply. */
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

    /** Gets an object, or sends one and returns the object of the reply. */
    Answer own(String method, URI uri, Map<String, ?> body, Map<String, String> headers, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put("Accept", JSON);
        Duration left = limit.left();
        if (method.equals("GET")) {
            Transport.Reply reply = transport.get(uri, all, left);
            return reply.status() == NOT_MODIFIED && all.containsKey("If-None-Match")
                    ? new Answer(Map.of(), Optional.empty(), Optional.empty())
                    : answer(reply, null);
        }
        return answer(transport.send(method, uri, JSON, Json.write(body), all, left), null);
    }

    private Answer post(
            URI uri, String contentType, byte[] body, Map<String, String> headers, JoseKey replyKey, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put("Accept", replyKey == null ? JSON : JSON_OR_SEALED);
        return answer(transport.post(uri, contentType, body, all, limit.left()), replyKey);
    }

    private Answer answer(Transport.Reply reply, JoseKey replyKey) throws RefusedException, NoAnswer {
        Optional<Instant> date = RetryAfter.date(reply.headers()).map(time -> time.toInstant());
        rememberTimeAndNonce(reply.headers(), date);
        int status = reply.status();
        if (status == 200 || status == 201) {
            return new Answer(
                    object(reply.body(), replyKey), date, reply.headers().firstValue("ETag"));
        }
        if (status >= 400 && status < 500 && status != 408 && status != 429) {
            throw RefusedException.of(reply);
        }
        throw new NoAnswer(
                switch (status) {
                    case PENDING -> "HTTP 202, it has not decided yet";
                    case 301, 302, 303, 307, 308 -> "HTTP " + status + ", a redirect, which is not followed";
                    default -> "HTTP " + status;
                },
                RetryAfter.in(reply.headers()).orElse(status == PENDING ? UNTIL_DECIDED : Duration.ZERO),
                status == PENDING);
    }

    private void rememberTimeAndNonce(HttpHeaders headers, Optional<Instant> date) {
        headers.firstValue("DPoP-Nonce").ifPresent(nonce -> dpopNonce = Optional.of(nonce));
        date.ifPresent(time -> zero = Optional.of(time.minusNanos(waiting.nanoTime())));
    }

    /** Decides by the first character, and not by the content type, which proxies change. */
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

    /** Returns the nonce for the next DPoP proof, or empty if the registry issued none yet. */
    Optional<String> dpopNonce() {
        return dpopNonce;
    }

    /**
     * Returns the registry's time: from its last reply by the monotonic clock, or before the first reply by the
     * device's clock. Empty if the device's clock is obviously wrong.
     */
    Optional<Instant> time() {
        Optional<Instant> last = zero;
        return last.isPresent()
                ? last.map(time -> time.plusNanos(waiting.nanoTime()))
                : Optional.of(waiting.deviceTime()).filter(time -> time.isAfter(PLAUSIBLE));
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Returns the configured address; empty means the stored one. */
    Optional<URI> configuredAddress() {
        return configured;
    }

    /** Returns the configured issuer of the registry; empty means the stored one, or the address. */
    Optional<URI> configuredAudience() {
        return audience;
    }

    /**
     * Returns the address of the registry that knows this device.
     *
     * @throws IllegalArgumentException if the stored one is not acceptable: it may come from a client that allowed more
     */
    URI address(StoreContent stored) {
        URI address = configured.orElse(stored.identity().registry());
        requireGood(address);
        return address;
    }

    /** Returns the issuer of the registry that knows this device. */
    String issuer(StoreContent stored) {
        Optional<URI> own = audience.isPresent() ? audience : stored.audience();
        return withoutSlash(own.isPresent() ? own.get() : address(stored));
    }

    /** Returns the address of one of the registry's endpoints. */
    static URI at(URI registry, String path) {
        return URI.create(withoutSlash(registry) + path);
    }

    /** Returns the address as the registry writes its own. */
    static String withoutSlash(URI registry) {
        return registry.toString().replaceFirst("/+$", "");
    }

    private void requireGood(URI address) {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        boolean encrypted = scheme.equals("https");
        if ((!encrypted && !scheme.equals("http"))
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

    /** Decides by the spelling: a name that resolves to a loopback address today may resolve to another tomorrow. */
    private static boolean isLoopback(String host) {
        return host.equalsIgnoreCase("localhost")
                || host.equals("[::1]")
                || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }
}
