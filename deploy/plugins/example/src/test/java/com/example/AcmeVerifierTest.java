package com.example;

import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import java.util.Optional;

class AcmeVerifierTest implements SerialVerifierContract {

    @Override
    public SerialVerifier verifier() {
        return new AcmeVerifier();
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(Candidates.withSerial("ACME-1001"));
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withSerial("SN-0001");
    }
}
