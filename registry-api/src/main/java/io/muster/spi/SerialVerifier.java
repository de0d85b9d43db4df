package io.muster.spi;

/**
 * A strategy that says whether a candidate is genuine. One class with a public constructor without parameters, named by
 * {@link PluginName} and listed in {@code META-INF/services/io.muster.spi.SerialVerifier} of a jar in the plug-in directory,
 * is a complete plug-in; so is a CDI bean with {@code @Named} in {@code WEB-INF/lib}.
 *
 * <p>A plug-in sees the JDK, this package and its own jar, nothing else of the registry or the server, and is called with its own
 * class loader as the thread's. One that implements {@link Configurable} gets settings, one that implements {@link AutoCloseable}
 * is closed when the registry stops.
 *
 * <p>Called by many threads at once, outside of any transaction. The contract is a test that every implementation can run:
 * {@code SerialVerifierContract} in the test-jar of registry-api.
 */
@FunctionalInterface
public interface SerialVerifier {

    /**
     * Answers for a candidate. Has no side effect that a second call would notice.
     *
     * @param candidate never null; only its form has been checked
     * @return never null; {@link Verdict#unknown()} if this verifier has nothing to say about the serial
     * @throws VerificationUnavailableException if the answer could not be obtained, within the verifier's own time limit; never
     *     to mean "no". Any other exception counts as the same and is logged as a defect of the verifier.
     */
    Verdict verify(Candidate candidate);
}
