// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;

/** A verifier as a CDI bean in the WAR. */
@Named("from-cdi")
@ApplicationScoped
public class CdiVerifier implements SerialVerifier {

    @Override
    public Verdict verify(Candidate candidate) {
        return candidate.serial().value().endsWith("0") ? Verdict.refused("ends with 0") : Verdict.genuine();
    }
}
