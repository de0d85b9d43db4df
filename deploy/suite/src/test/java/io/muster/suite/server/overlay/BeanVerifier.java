// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server.overlay;

import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;

/** A verifier as a CDI bean. */
@Named("bean")
@ApplicationScoped
public class BeanVerifier implements SerialVerifier {

    @Override
    public Verdict verify(Candidate candidate) {
        return candidate.serial().value().startsWith("BEAN-")
                ? Verdict.genuine(Map.of("found", "in the WAR"))
                : Verdict.unknown();
    }
}
