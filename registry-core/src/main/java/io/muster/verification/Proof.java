package io.muster.verification;

import io.muster.spi.Verdict;
import java.util.List;

/**
 * A verdict together with what an admission by it uses up.
 *
 * @param verdict the verdict; asking has no side effect
 * @param uses empty unless the verdict is genuine
 */
public record Proof(Verdict verdict, List<Use> uses) {

    /** A verdict that uses nothing up. */
    public static Proof of(Verdict verdict) {
        return new Proof(verdict, List.of());
    }
}
