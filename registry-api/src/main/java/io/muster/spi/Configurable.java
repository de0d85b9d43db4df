// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.util.Map;
import java.util.Set;

/**
 * A verifier or a credential issuer that has settings. One without settings does not implement it. Settings of a
 * verifier are {@code muster.verifier.<name>.*}, those of an issuer {@code muster.issuer.<name>.*}.
 *
 * <p>The registry calls {@link #configure} once, before the first {@link SerialVerifier#verify} or
 * {@link CredentialIssuer#issue}. The threads that call those see what it stored.
 */
public interface Configurable {

    /**
     * Takes the settings, and checks all of them.
     *
     * @param settings by what follows the name, such as {@code url}; empty if there are none. Read-only. Environment
     *     variables are included only for names that {@link #settingNames()} lists, because their spelling is
     *     ambiguous.
     * @throws IllegalArgumentException if a setting is missing, unknown or wrong. The message names every fault and
     *     repeats no secret. The registry then does not start
     */
    void configure(Map<String, String> settings);

    /**
     * Names the settings that it knows.
     *
     * @return the keys without the prefix that ends in the name; lower-case, dashed; never null
     */
    Set<String> settingNames();

    /**
     * Names the settings that are secrets. The registry reads them like its own: from the file that
     * {@code <secret>-file} names, without white space at its ends, else from the setting itself. Setting both is a
     * fault, and so is a file that is empty or cannot be read. {@link #configure} gets the content, under the name
     * given here.
     *
     * @return the keys without the prefix that ends in the name, and without {@code -file}; none unless overridden,
     *     never null. They need not be among {@link #settingNames()}
     */
    default Set<String> secretNames() {
        return Set.of();
    }
}
