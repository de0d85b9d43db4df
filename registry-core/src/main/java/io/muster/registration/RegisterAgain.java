// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.config.MusterConfig.RegisterAgainRule;
import io.muster.credential.CredentialKind;
import io.muster.credential.StoredCredential;
import io.muster.credential.StoredCredential.Replacement;
import io.muster.device.DeviceState;
import io.muster.jose.PublicJwk;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Decides whether a serial that is a device may register again: the rules alone. {@code docs/registration.md} has them
 * as a table, which is the test.
 *
 * @param rule the fleet's
 * @param state of the device
 * @param credentials all of the device's, the oldest first
 * @param isGood whether one of them could authenticate now
 * @param overlap how long a credential stays good after the first use of its replacement
 */
record RegisterAgain(
        RegisterAgainRule rule,
        DeviceState state,
        List<StoredCredential> credentials,
        Predicate<StoredCredential> isGood,
        Duration overlap) {

    private static final String KEY_REVOKED = "the key was the device's and is no longer good";

    /** The decision. */
    sealed interface Decision {

        /** The device has this credential already: its reply was lost, or it asks needlessly. */
        record Same(StoredCredential credential) implements Decision {}

        /**
         * It gets a further credential.
         *
         * @param voidUnused whether those that were never used are void
         * @param replacement the credential that the first use of the new one retires
         * @param byAllowance whether an allowance is used for it
         */
        record Further(boolean voidUnused, Optional<Replacement> replacement, boolean byAllowance)
                implements Decision {}

        /** It gets nothing; the reason is for operators. */
        record Refused(String reason) implements Decision {}
    }

    /**
     * Decides.
     *
     * @param offered the key that it offers, its possession proved
     * @param presented the key of the credential of this device that came with the request; empty if no good one did.
     *     It may have ended since, while verifiers were asked
     * @param allowed whether an operator's allowance is open for the serial
     */
    Decision decide(Optional<PublicJwk> offered, Optional<String> presented, boolean allowed) {
        if (state == DeviceState.RETIRED && allowed) {
            return byAllowance();
        }
        if (state != DeviceState.ACTIVE) {
            return new Decision.Refused("the device is " + state.word());
        }
        Optional<StoredCredential> same = same(offered);
        if (same.isPresent()) {
            return new Decision.Same(same.get());
        }
        Decision byRule = isRevoked(offered) ? new Decision.Refused(KEY_REVOKED) : byRule(presented);
        return byRule instanceof Decision.Refused && allowed ? byAllowance() : byRule;
    }

    /**
     * Decides about a device that renews its credential, whatever the rule.
     *
     * @param key of the credential that it has, and authenticated with
     * @param offered the key that it offers, its possession proved
     */
    Decision renew(String key, Optional<PublicJwk> offered) {
        if (state != DeviceState.ACTIVE) {
            return new Decision.Refused("the device is " + state.word());
        }
        if (!isGood(key)) {
            return new Decision.Refused("the credential is no longer good");
        }
        if (isRevoked(offered)) {
            return new Decision.Refused(KEY_REVOKED);
        }
        return same(offered)
                .<Decision>map(Decision.Same::new)
                .orElseGet(() -> new Decision.Further(false, Optional.of(new Replacement(key, overlap)), false));
    }

    /** Tells whether the offered key was revoked: the next request must not bring it back. */
    private boolean isRevoked(Optional<PublicJwk> offered) {
        return offered.isPresent()
                && same(offered).isEmpty()
                && credentials.stream()
                        .filter(credential -> credential.publicKey().equals(offered))
                        .anyMatch(credential -> credential.wasUsed() && !isGood.test(credential));
    }

    private Optional<StoredCredential> same(Optional<PublicJwk> offered) {
        return offered.flatMap(key -> credentials.stream()
                .filter(isGood)
                .filter(credential -> credential.publicKey().equals(Optional.of(key)))
                .findFirst());
    }

    private static Decision byAllowance() {
        return new Decision.Further(true, Optional.of(Replacement.OF_ALL), true);
    }

    private Decision byRule(Optional<String> presented) {
        return switch (rule) {
            case ALWAYS -> new Decision.Further(false, Optional.empty(), false);
            case NEVER -> new Decision.Refused("the serial is registered and the fleet's rule is never");
            case WITH_PROOF ->
                replacing(presented, "the serial is registered, and nothing proves that it is the same device");
            case UNTIL_CONFIRMED -> untilConfirmed(presented);
        };
    }

    private Decision untilConfirmed(Optional<String> presented) {
        if (credentials.stream().anyMatch(StoredCredential::wasUsed)) {
            return replacing(presented, "the serial is registered and its credential was used");
        }
        if (credentials.stream()
                .filter(isGood)
                .anyMatch(credential -> credential.kind() == CredentialKind.PUBLIC_KEY)) {
            return new Decision.Refused("the serial is registered with another key");
        }
        return new Decision.Further(true, Optional.empty(), false);
    }

    private boolean isGood(String key) {
        return credentials.stream()
                .filter(isGood)
                .anyMatch(credential -> credential.key().equals(key));
    }

    private Decision replacing(Optional<String> presented, String otherwise) {
        return presented
                .filter(this::isGood)
                .<Decision>map(key -> new Decision.Further(false, Optional.of(new Replacement(key, overlap)), false))
                .orElseGet(() -> new Decision.Refused(otherwise));
    }
}
