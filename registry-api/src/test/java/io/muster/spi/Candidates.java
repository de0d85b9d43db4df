// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Candidates for tests. */
public final class Candidates {

    /** The address that fixtures come from; reserved for documentation (RFC 5737). */
    public static final String ORIGIN = "192.0.2.7";

    private Candidates() {}

    /**
     * A candidate of the default fleet that offers only a serial.
     *
     * @param serial a valid serial
     */
    public static Candidate withSerial(String serial) {
        return Candidate.of(new SerialNumber(serial), "default", ORIGIN);
    }

    /**
     * A candidate of the default fleet with evidence.
     *
     * @param serial a valid serial
     * @param evidence as parsed from JSON
     */
    public static Candidate withEvidence(String serial, Map<String, Object> evidence) {
        return new Candidate(new SerialNumber(serial), "default", Optional.empty(), evidence, List.of(), ORIGIN);
    }
}
