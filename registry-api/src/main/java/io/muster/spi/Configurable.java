package io.muster.spi;

import java.util.Map;
import java.util.Set;

/**
 * A verifier or a credential issuer that has settings. Optional: one without settings does not implement it. Those of a verifier are
 * {@code muster.verifier.<name>.*}, those of an issuer {@code muster.issuer.<name>.*}.
 *
 * <p>Called once, before the first {@link SerialVerifier#verify} or {@link CredentialIssuer#issue}, and safely published to the
 * threads that call it.
 */
public interface Configurable {

    /**
     * Takes the settings, and checks all of them.
     *
     * @param settings by what follows the name, such as {@code url}; empty if there are none. Read-only. Environment variables
     *     are included only for names that {@link #settingNames()} lists, because their spelling is ambiguous.
     * @throws IllegalArgumentException if a setting is missing, unknown or wrong; the message names every fault, repeats no
     *     secret, and ends the start of the registry
     */
    void configure(Map<String, String> settings);

    /**
     * Names the settings that it knows.
     *
     * @return what follows the name; lower-case, dashed; never null
     */
    Set<String> settingNames();

    /**
     * Names the settings that are secrets. The registry reads them as it reads its own: from the file that
     * {@code <secret>-file} names, without white space at its ends, else from the setting itself; both,
     * and a file that is empty or cannot be read, are faults. {@link #configure} gets the content, under the name given here.
     *
     * @return what follows the name, without {@code -file}; none unless overridden, never null. They need
     *     not be among {@link #settingNames()}
     */
    default Set<String> secretNames() {
        return Set.of();
    }
}
