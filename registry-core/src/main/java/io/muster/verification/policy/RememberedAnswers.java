// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.muster.json.Json;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Answers of verifiers that call other systems, remembered on this node for as long as the fleet configures.
 * Thread-safe.
 */
final class RememberedAnswers {

    private final Optional<Cache<String, Verdict>> answers;

    /**
     * Remembers nothing yet.
     *
     * @param life how long; empty for not at all
     * @param clock measures the age of an answer
     */
    RememberedAnswers(Optional<Rules.Remember> life, Clock clock) {
        this.answers = life.map(times -> memory(times, clock));
    }

    private static Cache<String, Verdict> memory(Rules.Remember life, Clock clock) {
        return Caffeine.newBuilder()
                .maximumSize(life.size())
                .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                .expireAfter(Expiry.<String, Verdict>writing(
                        (question, verdict) -> verdict instanceof Verdict.Genuine ? life.genuine() : life.refused()))
                .build();
    }

    /** Returns the remembered answer, or asks and remembers. */
    Proof get(Step step, Candidate candidate, Supplier<Proof> ask) {
        // Remember only answers that came from another system. A proof that is used up must be checked every time.
        if (answers.isEmpty()
                || !(step.verifier() instanceof BoundedVerifier bounded)
                || bounded.verifier() instanceof Prover) {
            return ask.get();
        }
        String question = question(step, candidate);
        Verdict known = answers.get().getIfPresent(question);
        if (known != null) {
            return Proof.of(known);
        }
        Proof proof = ask.get();
        if (proof.verdict() instanceof Verdict.Genuine || proof.verdict() instanceof Verdict.Refused) {
            answers.get().put(question, proof.verdict());
        }
        return proof;
    }

    /** Hashes everything that the verifier may look at, because evidence may be secret. */
    private static String question(Step step, Candidate candidate) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            Map<String, Object> asked = new TreeMap<>();
            asked.put("serial", candidate.serial().value());
            asked.put("evidence", candidate.evidence());
            asked.put("publicKey", candidate.publicKey().orElse(Map.of()));
            asked.put("origin", candidate.origin());
            asked.put("binding", candidate.binding().orElse(""));
            digest.update(step.name().getBytes(StandardCharsets.UTF_8));
            digest.update(Json.bytes(asked));
            for (X509Certificate certificate : candidate.clientCertificates()) {
                digest.update(certificate.getEncoded());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        } catch (CertificateEncodingException e) {
            throw new VerificationUnavailableException("a client certificate that cannot be encoded", e);
        }
    }
}
