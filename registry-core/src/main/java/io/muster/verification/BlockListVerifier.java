package io.muster.verification;

import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.Optional;
import java.util.function.Supplier;

/** Refuses serials that are blocked in their fleet, or named by a file, and knows nothing of any other. */
final class BlockListVerifier implements SerialVerifier {

    private final Supplier<ExpectedSerials> serials;
    private final Optional<BlockFile> file;

    /** Looks in the file, if there is one, and then in the list. */
    BlockListVerifier(Supplier<ExpectedSerials> serials, Optional<BlockFile> file) {
        this.serials = serials;
        this.file = file;
    }

    @Override
    public Verdict verify(Candidate candidate) {
        String serial = candidate.serial().value();
        if (file.isPresent() && file.get().contains(serial)) {
            return Verdict.refused("the serial is blocked by the file");
        }
        try {
            return serials.get()
                    .block(candidate.fleet(), serial)
                    .map(ExpectedSerials::blocked)
                    .orElseGet(Verdict::unknown);
        } catch (DatabaseUnavailableException e) {
            throw new VerificationUnavailableException("the list of blocked serials cannot be read", e);
        }
    }
}
