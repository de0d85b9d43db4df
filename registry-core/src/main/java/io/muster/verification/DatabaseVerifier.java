package io.muster.verification;

import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Calls genuine what is in the list of expected serials. That identifies a device and authenticates nothing: whoever knows an
 * expected serial is that device.
 */
public final class DatabaseVerifier implements SerialVerifier {

    private final Supplier<ExpectedSerials> serials;

    /** Looks in the list. */
    DatabaseVerifier(Supplier<ExpectedSerials> serials) {
        this.serials = serials;
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
        if (found.get().state() != ExpectedSerials.State.EXPECTED) {
            return Verdict.refused("the serial is blocked");
        }
        ExpectedSerial serial = found.get().serial();
        Map<String, String> tags = new HashMap<>(serial.tags());
        serial.lot().ifPresent(lot -> tags.put(ExpectedSerial.LOT, lot));
        return new Verdict.Genuine(serial.name(), tags, serial.attributes());
    }
}
