// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A token and its times by the monotonic clock. */
final class AccessToken {

    /** The lifetime of a token if the registry does not tell one; the standard only recommends to. */
    private static final Duration ASSUMED_LIFETIME = Duration.ofSeconds(60);

    private static final Duration RENEWAL_MARGIN = Duration.ofSeconds(30);

    /** The latest plausible time, in the year 2106. */
    private static final long LAST_SECOND = Integer.MAX_VALUE * 2L;

    private final String text;
    private final Credential credential;
    private final boolean bound;
    private final long asked;
    private final Duration lifetime;
    private final long renewal;
    private final Optional<Instant> rotateBy;
    private final Optional<Instant> date;

    private AccessToken(
            String text,
            Credential credential,
            boolean bound,
            long asked,
            Duration lifetime,
            Optional<Instant> rotateBy,
            Optional<Instant> date) {
        this.text = text;
        this.credential = credential;
        this.bound = bound;
        this.asked = asked;
        this.lifetime = lifetime;
        Duration early = Pace.max(lifetime.minus(RENEWAL_MARGIN), lifetime.dividedBy(2));
        this.renewal = Pace.min(lifetime.multipliedBy(4).dividedBy(5), early).toNanos();
        this.rotateBy = rotateBy;
        this.date = date;
    }

    /**
     * Reads the reply of the token endpoint.
     *
     * @param asked when the request was made, by the monotonic clock: a reply may be slow
     * @param proved whether a DPoP proof was sent
     */
    static AccessToken read(Registry.Answer answer, Credential credential, boolean proved, long asked) throws NoAnswer {
        Map<String, Object> json = answer.json();
        String text = Json.text(json, "access_token").orElseThrow(() -> new NoAnswer("HTTP 200 without access_token"));
        Duration lifetime = json.get("expires_in") instanceof Number seconds
                ? Duration.ofSeconds(Math.max(0, seconds.longValue()))
                : ASSUMED_LIFETIME;
        boolean bound = proved
                && Json.text(json, "token_type")
                        .filter("DPoP"::equalsIgnoreCase)
                        .isPresent();
        Optional<Instant> rotateBy = json.get("rotate_by") instanceof Number seconds
                ? Optional.of(Instant.ofEpochSecond(Math.min(seconds.longValue(), LAST_SECOND)))
                : Optional.empty();
        Optional<Instant> date = answer.date().or(() -> issued(text));
        return new AccessToken(text, credential, bound, asked, Pace.min(lifetime, Pace.FOR_EVER), rotateBy, date);
    }

    /**
     * Returns the registry's time from the token, in case something on the way removes the header {@code Date}. The
     * token is trusted like the rest of the reply. Empty if it is a token without the time.
     */
    private static Optional<Instant> issued(String token) {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) {
            return Optional.empty();
        }
        try {
            return Json.readObject(Base64Url.decode(parts[1])).get("iat") instanceof Number seconds
                            && seconds.doubleValue() > 0
                            && seconds.doubleValue() <= LAST_SECOND
                    ? Optional.of(Instant.ofEpochSecond(seconds.longValue()))
                    : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    String text() {
        return text;
    }

    /** Returns whether each use of it needs a proof by the credential's key (RFC 9449). */
    boolean isBound() {
        return bound;
    }

    boolean isFresh(long now) {
        return now - asked < renewal;
    }

    boolean isValid(long now) {
        return now - asked < lifetime.toNanos();
    }

    Duration lifetime() {
        return lifetime;
    }

    /** Returns when the credential has to be replaced, by the registry's clock; empty if it need not. */
    Optional<Instant> rotateBy() {
        return rotateBy;
    }

    /** Returns the registry's time when it replied; empty if neither the reply nor the token has it. */
    Optional<Instant> date() {
        return date;
    }

    /**
     * Returns the headers of a request that uses this token.
     *
     * @param uri of the resource; query and fragment do not matter
     * @param time the value of {@code iat}
     */
    Map<String, String> headers(String method, URI uri, Instant time) throws IOException {
        if (!bound) {
            return Map.of("Authorization", "Bearer " + text);
        }
        Map<String, Object> claims =
                proofClaims(method, uri.toString().replaceFirst("[?#].*$", ""), time, Optional.empty());
        claims.put("ath", digest(text));
        return Map.of("Authorization", "DPoP " + text, "DPoP", proof(credential.deviceKey(), claims));
    }

    /** Signs a DPoP proof (RFC 9449 section 4.2). */
    static String proof(JoseKey key, Map<String, Object> claims) throws IOException {
        return key.sign(Map.of("typ", "dpop+jwt", "jwk", key.jwk()), claims);
    }

    static Map<String, Object> proofClaims(String method, String uri, Instant time, Optional<String> nonce) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("htm", method);
        claims.put("htu", uri);
        claims.put("iat", time.getEpochSecond());
        claims.put("jti", UUID.randomUUID().toString());
        nonce.ifPresent(value -> claims.put("nonce", value));
        return claims;
    }

    private static String digest(String text) {
        try {
            return Base64Url.encode(
                    MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }

    /** Names the credential and hides the token. */
    @Override
    public String toString() {
        return "AccessToken[" + credential + "]";
    }
}
