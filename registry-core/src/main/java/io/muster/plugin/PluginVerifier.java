package io.muster.plugin;

import io.muster.problem.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** A verifier of a plug-in. A plug-in that turns out to be broken is unavailable, not a defect of the registry. */
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
            // What these say is the JVM's text about classes, free of serials and secrets.
            String reason = reason(e);
            RARE.error(jar(), "Plug-in {} is broken, or made for another version: {}", jar(), reason);
            throw new VerificationUnavailableException("plug-in " + jar() + ": " + reason);
        }
    }
}
