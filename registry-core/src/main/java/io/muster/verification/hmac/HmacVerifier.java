// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import io.muster.device.DeviceTag;
import io.muster.once.Use;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.TagWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Calls a device genuine whose evidence is the HMAC-SHA256 of its serial under an enrolment key of the fleet. This
 * authenticates: only somebody who had the key can have made the evidence. {@code docs/verifiers/hmac.md} has settings,
 * verdicts and the recipe for a factory.
 *
 * <p>A key with a limit of uses is genuine here even when it is used up, because a device that it created may register
 * again. The limit is enforced where devices are created.
 */
final class HmacVerifier implements Prover, TagWriter {

    private static final int MAC_BYTES = 32;
    private static final int MAC_TEXT = 44;

    private final Supplier<EnrolmentKeys> keys;
    private final String evidence;
    private final String keyId;
    private final Clock clock;

    /** Reads every setting and reports faults. */
    HmacVerifier(Settings settings, Supplier<EnrolmentKeys> keys, Clock clock) {
        this.keys = keys;
        this.evidence = member(settings, "evidence", "hmac");
        this.keyId = member(settings, "key-id", "keyId");
        this.clock = clock;
        if (evidence.equals(keyId)) {
            settings.fault("key-id", "is the member that evidence names");
        }
    }

    private static String member(Settings settings, String key, String otherwise) {
        String name = settings.text(key, otherwise);
        if (!name.matches("[A-Za-z][A-Za-z0-9_.-]{0,63}")) {
            settings.fault(key, "\"" + name + "\" is not 1 to 64 letters, digits and _ . -, beginning with a letter");
        }
        return name;
    }

    @Override
    public Proof prove(Candidate candidate) {
        Object given = candidate.evidence().get(evidence);
        if (given == null) {
            return Proof.of(Verdict.unknown());
        }
        Optional<byte[]> mac = given instanceof String text
                ? Base64Text.decode(text, MAC_TEXT).filter(bytes -> bytes.length == MAC_BYTES)
                : Optional.empty();
        if (mac.isEmpty()) {
            return refused("the evidence " + evidence + " is not an HMAC-SHA256 in base64");
        }
        Object id = candidate.evidence().get(keyId);
        if (id == null) {
            return check(candidate, mac.get(), checkers(candidate.fleet()));
        }
        if (!(id instanceof String text && EnrolmentKey.isId(text))) {
            return refused("the evidence " + keyId + " is not the id of an enrolment key");
        }
        List<EnrolmentKeys.Checker> named = checkers(candidate.fleet()).stream()
                .filter(checker -> checker.key().id().equals(id))
                .toList();
        return named.isEmpty() ? refused("the fleet has no enrolment key " + id) : check(candidate, mac.get(), named);
    }

    @Override
    public String ownTag() {
        return DeviceTag.ENROLMENT_KEY;
    }

    private List<EnrolmentKeys.Checker> checkers(String fleet) {
        try {
            return keys.get().checkers(fleet);
        } catch (DatabaseUnavailableException e) {
            throw new VerificationUnavailableException("the enrolment keys cannot be read", e);
        } catch (ConfigurationException e) {
            throw new VerificationUnavailableException("an enrolment key cannot be decrypted", e);
        }
    }

    private Proof check(Candidate candidate, byte[] mac, List<EnrolmentKeys.Checker> checkers) {
        byte[] serial = candidate.serial().value().getBytes(StandardCharsets.UTF_8);
        String reason = "the evidence " + evidence + " fits no enrolment key of the fleet";
        for (EnrolmentKeys.Checker checker : checkers) {
            if (checker.proves(serial, mac)) {
                EnrolmentKey.State state = checker.key().state(clock.instant());
                if (state == EnrolmentKey.State.ACTIVE || state == EnrolmentKey.State.USED_UP) {
                    return genuine(checker.key());
                }
                // Another key may be the same key with another window.
                reason = "the enrolment key " + checker.key().id() + " is "
                        + (state == EnrolmentKey.State.NOT_YET ? "not valid yet" : state.word());
            }
        }
        return refused(reason);
    }

    private static Proof genuine(EnrolmentKey key) {
        return new Proof(
                new Verdict.Genuine(Optional.empty(), Map.of(DeviceTag.ENROLMENT_KEY, key.id()), Map.of()),
                key.maxUses().isPresent() ? List.of(new Use.EnrolmentKeyUse(key.id())) : List.of());
    }

    private static Proof refused(String reason) {
        return Proof.of(Verdict.refused(reason));
    }
}
