// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.device.DeviceTag;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.TagWriter;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Calls a serial genuine if it is in the list of expected serials, unless it is blocked or its lot may not register
 * now. This identifies a device and authenticates nothing: anybody who knows an expected serial can register as that
 * device.
 */
public final class DatabaseVerifier implements SerialVerifier, TagWriter {

    private final Supplier<ExpectedSerials> serials;
    private final Clock clock;

    /** Looks in the list. The clock decides about the validity of lots. */
    DatabaseVerifier(Supplier<ExpectedSerials> serials, Clock clock) {
        this.serials = serials;
        this.clock = clock;
    }

    @Override
    public Verdict verify(Candidate candidate) {
        Optional<ExpectedSerials.StoredSerial> found;
        try {
            found = serials.get().find(candidate.fleet(), candidate.serial().value());
        } catch (DatabaseUnavailableException e) {
            throw new VerificationUnavailableException("the list of expected serials cannot be read", e);
        }
        if (found.isEmpty()) {
            return Verdict.unknown();
        }
        if (found.get().blocked().isPresent()) {
            return ExpectedSerials.blocked(found.get().blocked().get());
        }
        Optional<String> refusal = found.get().lot().flatMap(lot -> lot.refusal(clock.instant()));
        if (refusal.isPresent()) {
            return Verdict.refused(refusal.get());
        }
        ExpectedSerial serial = found.get().serial();
        Map<String, String> tags = new HashMap<>(serial.tags());
        serial.lot().ifPresent(lot -> tags.put(DeviceTag.LOT, lot));
        return new Verdict.Genuine(serial.name(), tags, serial.attributes());
    }

    @Override
    public String ownTag() {
        return DeviceTag.LOT;
    }
}
