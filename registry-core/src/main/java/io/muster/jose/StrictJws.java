package io.muster.jose;

import io.jsonwebtoken.JwsHeader;
import io.jsonwebtoken.JwtParserBuilder;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.LocatorAdapter;
import io.jsonwebtoken.security.SecureDigestAlgorithm;
import java.security.Key;
import java.security.PublicKey;
import java.util.Base64;
import java.util.List;
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

    private static final Pattern COMPACT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");

    private StrictJws() {}

    /** Accepts ES256 alone, by the key that {@code kid} names; nothing else in the header chooses a key. */
    public static JwtParserBuilder parser(Function<String, Optional<PublicKey>> keys) {
        return parser(List.of(Jwts.SIG.ES256), header -> keys.apply(String.valueOf(header.getKeyId())))
                .provider(Es256.PROVIDER);
    }

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
