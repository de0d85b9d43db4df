// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

/**
 * A strategy that says whether a candidate is genuine. A complete plug-in is one class with a public constructor
 * without parameters, in a jar in the plug-in directory. {@link PluginName} names it, and the jar's
 * {@code META-INF/services/io.muster.spi.SerialVerifier} lists it. A CDI bean with {@code @Named} in
 * {@code WEB-INF/lib} works as well.
 *
 * <p>A plug-in sees the JDK, this package and its own jar, and nothing else of the registry or the server. During a
 * call its own class loader is the thread's. One that implements {@link Configurable} gets settings. One that
 * implements {@link AutoCloseable} is closed when the registry stops.
 *
 * <p>Many threads call it at once, outside any transaction. The contract is a test that every implementation can run:
 * {@code SerialVerifierContract} in the test-jar of registry-api.
 */
@FunctionalInterface
public interface SerialVerifier {

    /**
     * Answers for a candidate. Has no side effect that a second call would notice.
     *
     * @param candidate never null; only its form has been checked
     * @return never null; {@link Verdict#unknown()} if this verifier has nothing to say about the serial
     * @throws VerificationUnavailableException if the answer could not be obtained within the verifier's own time
     *     limit; never to mean "no". Any other exception counts as the same and is logged as a defect of the verifier.
     */
    Verdict verify(Candidate candidate);
}
