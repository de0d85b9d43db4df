// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import java.util.Optional;
import java.util.function.Supplier;

/** Refuses serials that are blocked in their fleet or named in a file. It answers unknown for any other. */
final class BlockListVerifier implements Prover {

    private final Supplier<ExpectedSerials> serials;
    private final Optional<BlockFile> file;

    /** Looks in the file, if there is one, and then in the list. */
    BlockListVerifier(Supplier<ExpectedSerials> serials, Optional<BlockFile> file) {
        this.serials = serials;
        this.file = file;
    }

    @Override
    public Proof prove(Candidate candidate) {
        return prove(candidate, SerialForm.EXACT);
    }

    @Override
    public Proof prove(Candidate candidate, SerialForm serials) {
        return Proof.of(verdict(candidate, serials));
    }

    private Verdict verdict(Candidate candidate, SerialForm form) {
        String serial = candidate.serial().value();
        if (file.isPresent() && file.get().contains(serial, form)) {
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
