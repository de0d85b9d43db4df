// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.config.MusterConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The signing keys in the database at one time. The role of each key follows from the keys and a clock alone, so that
 * nodes agree without communicating. Immutable.
 */
final class KeyRing {

    private static final Duration SKEW = MusterConfig.SigningKeys.SKEW;

    private final List<Term> terms;
    private final Map<String, SigningKey> byId;

    /** Holds keys in the order of their generations. */
    KeyRing(List<Term> terms) {
        this.terms = List.copyOf(terms);
        this.byId = terms.stream()
                .map(Term::key)
                .collect(Collectors.toUnmodifiableMap(SigningKey::kid, Function.identity()));
    }

    /**
     * A key and its time.
     *
     * @param createdAt when it was published
     * @param notBefore when it begins to sign
     * @param tokenLifetime the longest life of a token that it signs
     */
    record Term(int generation, SigningKey key, Instant createdAt, Instant notBefore, Duration tokenLifetime) {}

    List<Term> terms() {
        return terms;
    }

    /** Returns the newest key, which may not sign yet. */
    Optional<Term> newest() {
        return terms.isEmpty() ? Optional.empty() : Optional.of(terms.get(terms.size() - 1));
    }

    Optional<SigningKey> find(String kid) {
        return Optional.ofNullable(byId.get(kid));
    }

    /** Returns the key that signs: the last one whose time has begun. */
    Term signing(Instant now) {
        Term signing = null;
        for (Term term : terms) {
            // If a clock is behind all of them, the first key signs.
            if (term.key().canSign() && (signing == null || !now.isBefore(term.notBefore()))) {
                signing = term;
            }
        }
        if (signing == null) {
            throw new IllegalStateException("there is no signing key");
        }
        return signing;
    }

    /** Returns when it ceases to sign: when the next one begins; empty if there is none yet. */
    Optional<Instant> end(Term term) {
        int next = terms.indexOf(term) + 1;
        return next == terms.size()
                ? Optional.empty()
                : Optional.of(terms.get(next).notBefore());
    }

    /** Returns when no node signs with it any more, not even one whose clock is slow. */
    Optional<Instant> secretUntil(Term term) {
        return end(term).map(end -> end.plus(SKEW));
    }

    /**
     * Returns when the last token that it signed has expired for everybody, including those who cache the published
     * keys.
     */
    Optional<Instant> publishedUntil(Term term) {
        return secretUntil(term).map(end -> end.plus(term.tokenLifetime()).plus(MusterConfig.SigningKeys.MAX_AGE));
    }
}
