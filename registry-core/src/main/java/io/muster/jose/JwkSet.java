// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.jose.VerificationKey.Algorithm;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Keys that check signatures, read from a JWK set or a single JWK (RFC 7517). Immutable. */
public final class JwkSet {

    private static final int MOST_KEYS = 1000;

    private final List<VerificationKey> keys;

    /** Holds these keys. */
    public JwkSet(List<VerificationKey> keys) {
        this.keys = List.copyOf(keys);
    }

    /**
     * The result of reading a set.
     *
     * @param keys the keys that can be used
     * @param unusable why each of the others cannot be used; a set of another party may hold keys for other purposes
     * @param faults why the whole set must not be trusted; it is safe to use only if there are none
     */
    public record Result(JwkSet keys, List<String> unusable, List<String> faults) {}

    /** Reads a set, or one key. Messages name members and positions, and repeat no value. */
    public static Result read(JsonNode document) {
        List<VerificationKey> keys = new ArrayList<>();
        List<String> unusable = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        JsonNode members = document.path("keys");
        if (document.isObject() && !document.has("keys") && document.has("kty")) {
            read(document, "#", keys, unusable, faults);
        } else if (!document.isObject() || !members.isArray()) {
            faults.add("#: is neither a JWK nor a JWK set");
        } else if (members.size() > MOST_KEYS) {
            faults.add("#/keys: has more than " + MOST_KEYS + " keys");
        } else {
            for (int i = 0; i < members.size(); i++) {
                read(members.get(i), "#/keys/" + i, keys, unusable, faults);
            }
        }
        checkTogether(keys, faults);
        return new Result(new JwkSet(keys), List.copyOf(unusable), List.copyOf(faults));
    }

    private static void read(
            JsonNode jwk, String where, List<VerificationKey> keys, List<String> unusable, List<String> faults) {
        if (Jwk.isPrivate(jwk)) {
            faults.add(where + ": has private members; publish the public half only, and make a new pair");
            return;
        }
        try {
            keys.add(Jwk.read(jwk));
        } catch (Jwk.UnusableException e) {
            unusable.add(where + ": " + e.getMessage());
        }
    }

    private static void checkTogether(List<VerificationKey> keys, List<String> faults) {
        Set<String> ids = new HashSet<>();
        if (!keys.stream().flatMap(key -> key.kid().stream()).allMatch(ids::add)) {
            faults.add("#/keys: two keys have the same kid");
        }
        long secrets =
                keys.stream().filter(key -> key.algorithm() == Algorithm.HS256).count();
        if (secrets > 0 && secrets < keys.size()) {
            faults.add("#/keys: has shared secrets and public keys; a set has the one or the other");
        }
    }

    /**
     * Returns the key for a token.
     *
     * @param kid the one that the token names; if it names none, the only key of the algorithm is meant
     * @return empty if no key fits, or more than one
     */
    public Optional<VerificationKey> find(Algorithm algorithm, Optional<String> kid) {
        List<VerificationKey> fitting = keys.stream()
                .filter(key -> key.algorithm() == algorithm)
                .filter(key -> kid.isEmpty() || key.kid().equals(kid))
                .toList();
        return fitting.size() == 1 ? Optional.of(fitting.get(0)) : Optional.empty();
    }

    List<VerificationKey> all() {
        return keys;
    }

    /** Tells whether it has no key that can be used. */
    public boolean isEmpty() {
        return keys.isEmpty();
    }

    /** Tells whether any of its keys is a shared secret. */
    public boolean hasSecrets() {
        return keys.stream().anyMatch(key -> key.algorithm() == Algorithm.HS256);
    }
}
