package io.muster.verification;

import io.muster.device.DeviceTag;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Calls genuine what is in the list of expected serials, unless the serial is blocked or its lot may not register now. That
 * identifies a device and authenticates nothing: whoever knows an expected serial is that device.
 */
public final class DatabaseVerifier implements SerialVerifier, Tagging {

    private final Supplier<ExpectedSerials> serials;
    private final Clock clock;

    /** Looks in the list; the validity of lots is by the clock. */
    DatabaseVerifier(Supplier<ExpectedSerials> serials, Clock clock) {
        this.serials = serials;
        this.clock = clock;
    }

    @Override
    public Verdict verify(Candidate candidate) {
        Optional<ExpectedSerials.Found> found;
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
