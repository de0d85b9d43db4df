// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.log.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** A verifier of a plug-in. A broken plug-in counts as unavailable, not as a defect of the registry. */
public final class PluginVerifier extends Plugin<SerialVerifier> implements SerialVerifier {

    private static final RareLog RARE = RareLog.of(PluginVerifier.class);

    PluginVerifier(String jar, ClassLoader loader, ServiceLoader.Provider<SerialVerifier> provider) {
        super(jar, loader, provider);
    }

    @Override
    public Verdict verify(Candidate candidate) {
        try {
            return inside(() -> service().verify(candidate));
        } catch (LinkageError | ServiceConfigurationError e) {
            // These texts are the JVM's, about classes, and contain no serials or secrets.
            String reason = OwnValues.reason(e);
            RARE.error(jar(), "Plug-in {} is broken, or made for another version: {}", jar(), reason);
            throw new VerificationUnavailableException("plug-in " + jar() + ": " + reason);
        }
    }
}
