package io.muster.verification;

import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import java.net.URI;
import java.time.Clock;
import java.util.function.Supplier;

/** Makes the verifiers of one built-in type. */
@FunctionalInterface
public interface Strategy {

    /**
     * What verifiers are made from.
     *
     * @param stores what the database holds for verifiers; not there before the configuration was checked
     * @param issuer the address of this registry, which proofs are made for
     * @param clock what time it is
     */
    record Surroundings(Supplier<Stores> stores, URI issuer, Clock clock) {}

    /**
     * What the database holds for verifiers.
     *
     * @param serials expected serials
     * @param enrolmentKeys enrolment keys of fleets
     * @param nonces what proofs of possession contain
     */
    record Stores(ExpectedSerials serials, EnrolmentKeys enrolmentKeys, Nonces nonces) {}

    /**
     * Reads every setting and notes what is faulty; never throws for a fault, and connects to nothing.
     *
     * @param name the verifier's name
     * @param settings those below {@code muster.verifier.<name>.}
     */
    SerialVerifier make(String name, Settings settings, Surroundings surroundings);
}
