// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import com.fasterxml.jackson.databind.JsonNode;
import io.jsonwebtoken.ExpiredJwtException;
import io.jsonwebtoken.JwsHeader;
import io.jsonwebtoken.JwtParserBuilder;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.LocatorAdapter;
import io.jsonwebtoken.PrematureJwtException;
import io.jsonwebtoken.security.SecureDigestAlgorithm;
import io.jsonwebtoken.security.SignatureException;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import java.math.BigDecimal;
import java.security.Key;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The one place that builds a parser. jjwt's defaults are too lax. They accept any algorithm that fits the key. They
 * unpack {@code zip} after the signature was checked, so a small token becomes an OutOfMemoryError. They accept tokens
 * without {@code exp} or with any {@code typ}. The caller must check the claims.
 */
public final class StrictJws {

    /** Longer tokens are refused unread. */
    public static final int MAX_LENGTH = 8192;

    private static final BigDecimal YEAR_10000 = BigDecimal.valueOf(253_402_300_800L);

    private static final Pattern COMPACT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");

    // Keys, and addresses of keys, that the token brings along; extensions; compression.
    private static final List<String> REFUSED_MEMBERS = List.of("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip");

    // The skew covers every exp and nbf that is a date at all.
    private static final Clock ANY_TIME = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
    private static final Duration FAR = Duration.ofDays(365L * 10_000);

    private StrictJws() {}

    /**
     * Accepts only these algorithms.
     *
     * @param keys the key for a header whose algorithm is one of these. The caller pins each key to one algorithm. It
     *     selects by {@code alg} and {@code kid} among keys it knows, never by other members of the header. Empty
     *     refuses the token.
     */
    public static JwtParserBuilder parser(
            List<? extends SecureDigestAlgorithm<?, ?>> algorithms, Function<JwsHeader, Optional<? extends Key>> keys) {
        return Jwts.parser()
                .json(new JwtJson())
                .sig()
                .clear()
                .add(algorithms)
                .and()
                .zip()
                .clear()
                .and()
                .keyLocator(new LocatorAdapter<Key>() {
                    @Override
                    protected Key locate(JwsHeader header) {
                        return keys.apply(header).orElse(null);
                    }
                });
    }

    /** Accepts tokens that this key signed with its one algorithm, whatever {@code kid} the header has. */
    static JwtParserBuilder parser(VerificationKey key) {
        return parser(key.algorithm().jjwt(), header -> Optional.of(key.key()))
                .provider(key.algorithm() == VerificationKey.Algorithm.ES256 ? Es256.PROVIDER : null);
    }

    /**
     * A token's header before anything was checked. Use it only to select a key among known ones.
     *
     * @param algorithm {@code alg}
     * @param keyId {@code kid}
     * @param type {@code typ}
     */
    public record UnverifiedHeader(String algorithm, Optional<String> keyId, Optional<String> type) {}

    /**
     * Reads the header of an arbitrary text. If the header brings a key of its own, or demands more than a plain
     * signature, reading ends there, so that no parser ever sees its content.
     *
     * @throws InvalidTokenException if it is not the header of a plain signed token
     */
    public static UnverifiedHeader header(String token) {
        return header(parsedHeader(token), REFUSED_MEMBERS);
    }

    private static UnverifiedHeader header(Map<String, Object> header, List<String> refused) {
        for (String member : refused) {
            if (header.containsKey(member)) {
                throw new InvalidTokenException("its header has the member " + member + ", which is not accepted");
            }
        }
        return new UnverifiedHeader(text(header, "alg").orElse(""), text(header, "kid"), text(header, "typ"));
    }

    private static Map<String, Object> parsedHeader(String token) {
        if (!isWellFormed(token)) {
            throw new InvalidTokenException("it is not a signed token of at most " + MAX_LENGTH + " characters");
        }
        try {
            return Json.parseObject(part(token, 0));
        } catch (MalformedJsonException e) {
            throw new InvalidTokenException("its header is not a JSON object");
        }
    }

    /**
     * Returns a claim of an arbitrary text before anything was checked. Use it only to select a key among known ones.
     * Empty if there is no such claim that is a text.
     */
    public static Optional<String> unverifiedClaim(String token, String name) {
        if (!isWellFormed(token)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Json.parse(part(token, 1)).path(name))
                    .filter(JsonNode::isTextual)
                    .map(JsonNode::textValue);
        } catch (MalformedJsonException e) {
            return Optional.empty();
        }
    }

    /**
     * A token that was signed with the key that it brings along. It proves that its sender has that key, and nothing
     * else.
     *
     * @param type {@code typ}
     * @param key the key
     * @param claims as they were signed; their times are not checked
     */
    public record SelfSigned(Optional<String> type, PublicJwk key, JsonNode claims) {}

    /**
     * Checks a token with the key in its own header. Only proofs of possession (RFC 9449) may use their {@code jwk}.
     *
     * @throws InvalidTokenException if it brings no usable key, or is not signed with it
     */
    public static SelfSigned selfSigned(String token) {
        Map<String, Object> members = parsedHeader(token);
        UnverifiedHeader header = header(
                members,
                REFUSED_MEMBERS.stream().filter(member -> !member.equals("jwk")).toList());
        PublicJwk key;
        try {
            key = PublicJwk.read(Json.parse(part(token, 0)).path("jwk"));
        } catch (PublicJwk.InvalidKeyException e) {
            throw new InvalidTokenException("the key in its header cannot be used: " + e.getMessage());
        }
        return new SelfSigned(header.type(), key, verified(token, key.key(), ANY_TIME, FAR));
    }

    private static Optional<String> text(Map<String, Object> header, String member) {
        Object value = header.get(member);
        if (value == null && !header.containsKey(member)) {
            return Optional.empty();
        }
        if (value instanceof String text) {
            return Optional.of(text);
        }
        throw new InvalidTokenException("its header has a " + member + " that is not a text");
    }

    /**
     * Checks a token's signature, and its {@code exp} and {@code nbf} if it has them, and returns its claims as they
     * were signed. The caller must check everything else about them.
     *
     * @param key the key that the caller chose
     * @param skew how far clocks may differ
     * @throws InvalidTokenException if the token is not valid
     */
    public static JsonNode claims(String token, VerificationKey key, Clock clock, Duration skew) {
        header(token);
        return verified(token, key, clock, skew);
    }

    /**
     * Checks a token's signature as {@link #claims} does, but not its times. It is for callers that demand another
     * proof of when it was made.
     *
     * @throws InvalidTokenException if the token is not valid
     */
    public static JsonNode claimsOfAnyTime(String token, VerificationKey key) {
        return claims(token, key, ANY_TIME, FAR);
    }

    private static JsonNode verified(String token, VerificationKey key, Clock clock, Duration skew) {
        try {
            parser(key)
                    .clock(() -> Date.from(clock.instant()))
                    .clockSkewSeconds(skew.toSeconds())
                    .build()
                    .parseSignedClaims(token);
        } catch (SignatureException e) {
            throw new InvalidTokenException("its signature is wrong");
        } catch (ExpiredJwtException e) {
            throw new InvalidTokenException("it has expired");
        } catch (PrematureJwtException e) {
            throw new InvalidTokenException("it is not valid yet");
        } catch (RuntimeException e) {
            // jjwt documents two kinds of exceptions. Any other one does not make the token valid either.
            throw new InvalidTokenException("its form is wrong, so that it cannot be checked");
        }
        // Not jjwt's version of the claims: it takes a time from a text, and a number for a text.
        try {
            JsonNode claims = Json.parse(part(token, 1));
            if (claims.isObject()) {
                // jjwt cuts a number to 64 bits, which can turn a time in the past into one in the future.
                time(claims, "exp");
                time(claims, "nbf");
                return claims;
            }
        } catch (MalformedJsonException e) {
            // reported below
        }
        throw new InvalidTokenException("its claims are not a JSON object");
    }

    /**
     * Returns a time among the claims to the millisecond, or empty if it is absent. It is a NumericDate (RFC 7519
     * section 2): seconds, perhaps with a fraction, and never a text.
     *
     * @throws InvalidTokenException if the value is no time from 1970 to 9999
     */
    public static Optional<Instant> time(JsonNode claims, String claim) {
        JsonNode value = claims.path(claim);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (value.isNumber()) {
            BigDecimal seconds = value.decimalValue();
            if (seconds.signum() >= 0 && seconds.compareTo(YEAR_10000) < 0) {
                return Optional.of(
                        Instant.ofEpochMilli(seconds.movePointRight(3).longValue()));
            }
        }
        throw new InvalidTokenException("its " + claim + " is not a time");
    }

    /**
     * Returns a time among the claims as {@link #time} does, without its fraction.
     *
     * @throws InvalidTokenException if the value is no time from 1970 to 9999
     */
    public static Optional<Instant> seconds(JsonNode claims, String claim) {
        return time(claims, claim).map(time -> time.truncatedTo(ChronoUnit.SECONDS));
    }

    /**
     * Returns the only audience of the claims (RFC 7519 section 4.1.3): a text, or a list of one, which some libraries
     * write. Empty if there is none, or if there are several: with those the token would be good here and elsewhere.
     */
    public static Optional<String> audience(JsonNode claims) {
        JsonNode claim = claims.path("aud");
        JsonNode only = claim.isArray() && claim.size() == 1 ? claim.get(0) : claim;
        return only.isTextual() ? Optional.of(only.textValue()) : Optional.empty();
    }

    private static byte[] part(String token, int index) {
        return Base64.getUrlDecoder().decode(token.split("\\.")[index]);
    }

    /** Tells whether a text can be a token at all: three parts of canonical base64url, not too long. */
    public static boolean isWellFormed(String token) {
        return token.length() <= MAX_LENGTH && COMPACT.matcher(token).matches() && isCanonical(token);
    }

    // Base64url leaves bits unused at the end of a part. Only one spelling of a token is accepted.
    private static boolean isCanonical(String token) {
        for (String part : token.split("\\.")) {
            try {
                byte[] bytes = Base64.getUrlDecoder().decode(part);
                if (!Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString(bytes)
                        .equals(part)) {
                    return false;
                }
            } catch (IllegalArgumentException e) {
                return false;
            }
        }
        return true;
    }
}
