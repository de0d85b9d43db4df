// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Proves that a device has a credential: by HTTP Basic with its secret, or by an assertion that its key signs (RFC
 * 7523).
 */
final class Authentication {

    /** Less than the 5 minutes that the registry allows, so that a clock may be some minutes wrong. */
    private static final Duration ASSERTION_LIFETIME = Duration.ofMinutes(2);

    private static final int UNAUTHORIZED = 401;

    private final Registry registry;
    private final Waiting waiting;
    private volatile boolean timeIsOfNoUse;

    Authentication(Registry registry, Waiting waiting) {
        this.registry = registry;
        this.waiting = waiting;
    }

    /** A request that authenticates, and its answer. */
    @FunctionalInterface
    interface Request<T> {

        /**
         * Asks once.
         *
         * @param byTime whether an assertion says the time; if not, it has a nonce
         */
        T ask(boolean byTime) throws IOException, RefusedException, InterruptedException;
    }

    /**
     * Asks once. If the registry does not accept an assertion, it is repeated with a nonce, because a wrong time may
     * have been the reason.
     */
    <T> T authenticated(Credential credential, Request<T> request)
            throws IOException, RefusedException, InterruptedException {
        boolean byTime = credential.deviceKey() != null
                && !timeIsOfNoUse
                && registry.time().isPresent();
        if (!byTime) {
            return request.ask(false);
        }
        try {
            return request.ask(true);
        } catch (RefusedException e) {
            if (e.status() != UNAUTHORIZED) {
                throw e;
            }
            T answer = withNonce(request, e);
            timeIsOfNoUse = true;
            return answer;
        }
    }

    /** Repeats a request with a nonce. If the registry gives no nonces, its first refusal stands. */
    private static <T> T withNonce(Request<T> request, RefusedException before)
            throws IOException, RefusedException, InterruptedException {
        try {
            return request.ask(false);
        } catch (RefusedException e) {
            throw e.status() == UNAUTHORIZED ? e : before;
        }
    }

    /** Returns the value of {@code Authorization} for a credential that is a secret. */
    static String basic(Credential credential) {
        // RFC 6749 section 2.3.1: each half is form-encoded before the two are joined.
        String both = Registry.encoded(credential.key()) + ":" + Registry.encoded(credential.secret());
        return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * Signs an assertion for a credential that is a key.
     *
     * @param stored has the registry's address
     * @param credential one of those that are stored
     */
    String assertion(StoreContent stored, Credential credential, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Optional<String> nonce =
                byTime ? Optional.empty() : Optional.of(registry.nonce(registry.address(stored), limit));
        Instant now = time();
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", credential.key());
        claims.put("sub", credential.key());
        claims.put("aud", registry.issuer(stored));
        claims.put("jti", UUID.randomUUID().toString());
        claims.put("iat", now.getEpochSecond());
        claims.put("exp", now.plus(ASSERTION_LIFETIME).getEpochSecond());
        nonce.ifPresent(value -> claims.put("nonce", value));
        return credential.deviceKey().sign(Map.of("typ", "JWT"), claims);
    }

    /** Returns the best time that this device knows, which may be wrong. */
    Instant time() {
        return registry.time().orElseGet(waiting::deviceTime);
    }
}
