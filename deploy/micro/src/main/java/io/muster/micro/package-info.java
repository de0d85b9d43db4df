/**
 * Starts Payara Micro with the registry in it, from one file. Start reading at {@link io.muster.micro.Main}.
 *
 * <p>The registry is configured by its own keys and knows nothing of this package. They meet in system properties. The
 * launcher sets {@code muster.data-dir} and {@code muster.default-issuer}. The registry sets {@code muster.start-fault}
 * when it cannot start, and {@code muster.start-note} when the person who started it should know something.
 */
package io.muster.micro;
