// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Part;
import io.muster.fleet.Fleet;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.verification.jwt.JwtVerifier;
import io.muster.verification.jwt.RegistrationTokenSigner;
import io.muster.verification.policy.Verifiers;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes the tokens with which devices register, for fleets whose {@code jwt} verifier has a shared secret. Thread-safe.
 */
@Part
public final class RegistrationTokens {

    private final Verifiers verifiers;
    private final Database database;
    private final Audit audit;
    private final Ids ids;

    /** Signs with the secrets of these verifiers. */
    @Inject
    public RegistrationTokens(Verifiers verifiers, Database database, Audit audit, Ids ids) {
        this.verifiers = verifiers;
        this.database = database;
        this.audit = audit;
        this.ids = ids;
    }

    /**
     * An operator's request for a token.
     *
     * @param verifier one of the fleet's; empty for the only one that can sign
     * @param serial the serial of the one device it is for
     * @param url where the device is told to register
     * @param expiresIn positive
     */
    public record Wish(
            Optional<String> verifier,
            Optional<SerialNumber> serial,
            Optional<URI> url,
            Optional<Duration> expiresIn) {}

    /**
     * Makes a token that the fleet's verifier accepts, and records that before anybody has the token.
     *
     * @param by the operator
     * @throws RegistryException {@code CONFLICT} if no verifier of the fleet can sign; {@code INVALID_REQUEST} if it
     *     would accept no such token
     */
    public RegistrationTokenSigner.Signed create(Fleet fleet, Wish wish, String by) {
        Map<String, RegistrationTokenSigner> signers = new LinkedHashMap<>();
        verifiers
                .ofType(JwtVerifier.class, fleet.document().rules().verifiers())
                .forEach((name, verifier) -> verifier.signer().ifPresent(signer -> signers.put(name, signer)));
        String verifier = choose(signers, wish.verifier());
        RegistrationTokenSigner signer = signers.get(verifier);
        check(verifier, signer, wish);
        String id = ids.nextKey();
        RegistrationTokenSigner.Signed signed = signer.sign(id, wish.serial(), wish.url(), wish.expiresIn());
        String detail = verifier + ", jti " + id
                + signed.expiresAt().map(end -> ", until " + end).orElse(", without end");
        database.transaction(em -> {
            audit.record(
                    em,
                    Audit.Type.REGISTRATION_TOKEN_CREATED,
                    fleet.name(),
                    wish.serial().map(SerialNumber::value).orElse(null),
                    null,
                    by,
                    detail);
            return null;
        });
        return signed;
    }

    private static String choose(Map<String, RegistrationTokenSigner> signers, Optional<String> wanted) {
        if (signers.isEmpty()) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT,
                    "no verifier of this fleet is of the type jwt and has a secret to sign registration tokens with");
        }
        String known = String.join(", ", signers.keySet());
        if (wanted.isPresent() && !signers.containsKey(wanted.get())) {
            throw RegistryException.invalid(
                    List.of(new Fault("#/verifier", "must be one that can sign for this fleet: " + known)));
        }
        if (wanted.isEmpty() && signers.size() > 1) {
            throw RegistryException.invalid(
                    List.of(new Fault("#/verifier", "is required, because several can sign for this fleet: " + known)));
        }
        return wanted.orElse(known);
    }

    private static void check(String verifier, RegistrationTokenSigner signer, Wish wish) {
        List<Fault> faults = new ArrayList<>();
        if (signer.needsSerial() && wish.serial().isEmpty()) {
            faults.add(new Fault("#/serial", "is required: the verifier " + verifier + " takes a token per device"));
        }
        if (!signer.needsSerial() && wish.serial().isPresent()) {
            faults.add(new Fault(
                    "#/serial",
                    "must be left out: the verifier " + verifier + " takes a token for any serial of the fleet"));
        }
        signer.longestLifetime()
                .filter(longest -> wish.expiresIn()
                        .filter(wanted -> wanted.compareTo(longest) > 0)
                        .isPresent())
                .ifPresent(longest -> faults.add(
                        new Fault("#/expiresIn", "must be at most " + longest + ", the verifier's max-age")));
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }
}
