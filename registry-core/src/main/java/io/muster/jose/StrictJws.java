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
 * The one place that builds a parser. jjwt's defaults accept any algorithm that fits the key, unpack {@code zip} after the
 * signature was checked (a small token becomes an OutOfMemoryError), and take tokens without {@code exp} or with any {@code typ};
 * what a token must claim is for the caller to require.
 */
public final class StrictJws {

    /** Longer tokens are refused unread. */
    public static final int MAX_LENGTH = 8192;

    private static final BigDecimal YEAR_10000 = BigDecimal.valueOf(253_402_300_800L);

    private static final Pattern COMPACT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");

    // Keys and addresses of keys that the token brings itself; extensions; compression.
    private static final List<String> REFUSED_MEMBERS = List.of("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip");

    // Skew enough for every exp and nbf that is a date at all.
    private static final Clock ANY_TIME = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
    private static final Duration FAR = Duration.ofDays(365L * 10_000);

    private StrictJws() {}

    /**
     * Accepts these algorithms alone.
     *
     * @param keys the key for a header whose algorithm is one of these; the caller pins each key to one algorithm and chooses
     *     by {@code alg} and {@code kid} among keys it knows, never by what else the header says. Empty refuses the token.
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

    /** Accepts what this key signed by its one algorithm, whatever {@code kid} the header has. */
    static JwtParserBuilder parser(VerificationKey key) {
        return parser(key.algorithm().jjwt(), header -> Optional.of(key.key()))
                .provider(key.algorithm() == VerificationKey.Algorithm.ES256 ? Es256.PROVIDER : null);
    }

    /**
     * What a token's header says before anything was checked: good for choosing a key among known ones, and for nothing else.
     *
     * @param algorithm {@code alg}
     * @param keyId {@code kid}
     * @param type {@code typ}
     */
    public record UnverifiedHeader(String algorithm, Optional<String> keyId, Optional<String> type) {}

    /**
     * Reads the header of a text that may be anything. A header that brings a key of its own, or asks for more than a plain
     * signature, is not read any further, so that no parser ever sees what is in it.
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
     * Returns a claim of a text that may be anything, before anything was checked: good for choosing a key among known ones, and for
     * nothing else. Empty if it has no such claim that is a text.
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
     * A token that was signed by the key that it brings along, which proves that its sender has that key and nothing else.
     *
     * @param type {@code typ}
     * @param key the key
     * @param claims as they were signed; times are not looked at
     */
    public record SelfSigned(Optional<String> type, PublicJwk key, JsonNode claims) {}

    /**
     * Checks a token by the key in its own header, for proofs of possession (RFC 9449), which are the only ones whose {@code jwk}
     * counts.
     *
     * @throws InvalidTokenException if it brings none that can be used, or is not signed by it
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
     * Checks a token's signature, and its {@code exp} and {@code nbf} where it has them, and returns its claims as they were
     * signed. Holding them says that much and no more; what else they must say is for the caller to require.
     *
     * @param key the key that the caller chose
     * @param skew how far clocks may differ
     * @throws InvalidTokenException if the token is not to be believed
     */
    public static JsonNode claims(String token, VerificationKey key, Clock clock, Duration skew) {
        header(token);
        return verified(token, key, clock, skew);
    }

    /**
     * Checks a token's signature as {@link #claims} does, and not its times, for those who require other proof that it was made now.
     *
     * @throws InvalidTokenException if the token is not to be believed
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
            // jjwt documents two kinds; whatever else a token makes it throw does not make the token good.
            throw new InvalidTokenException("its form is wrong, so that it cannot be checked");
        }
        // Not what jjwt made of them: it takes a time from a text, and a number for a text.
        try {
            JsonNode claims = Json.parse(part(token, 1));
            if (claims.isObject()) {
                // jjwt cuts a number to 64 bits, by which a time long past can become one to come.
                time(claims, "exp");
                time(claims, "nbf");
                return claims;
            }
        } catch (MalformedJsonException e) {
            // said below
        }
        throw new InvalidTokenException("its claims are not a JSON object");
    }

    /**
     * Returns a time among the claims (NumericDate, RFC 7519 section 2: seconds, perhaps with a fraction, and never a text) to the
     * millisecond, or empty if it is not there.
     *
     * @throws InvalidTokenException if what is there is no time from 1970 to 9999
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
     * @throws InvalidTokenException if what is there is no time from 1970 to 9999
     */
    public static Optional<Instant> seconds(JsonNode claims, String claim) {
        return time(claims, claim).map(time -> time.truncatedTo(ChronoUnit.SECONDS));
    }

    private static byte[] part(String token, int index) {
        return Base64.getUrlDecoder().decode(token.split("\\.")[index]);
    }

    /** Tells whether a text may be a token at all: three parts of canonical base64url, not too long. */
    public static boolean isWellFormed(String token) {
        return token.length() <= MAX_LENGTH && COMPACT.matcher(token).matches() && isCanonical(token);
    }

    // Base64url leaves bits unused at the end of a part; only one spelling of a token is the token.
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
