// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.config.MusterConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A fleet's rules for its verifiers.
 *
 * @param verifiers their names in the order they are asked; at least one
 * @param required how many of them must say genuine; from 1 to as many as there are
 * @param onUnavailable the consequence for this fleet if one of them cannot find out; the verifier's own configuration
 *     holds where nothing is given
 * @param shadow the names of verifiers that are asked off the critical path, and decide nothing
 * @param timeBudget how long the whole questioning may take
 * @param cache how long answers of verifiers that call other systems are remembered; empty for not at all
 */
public record Rules(
        List<String> verifiers,
        int required,
        Map<String, MusterConfig.OnUnavailable> onUnavailable,
        List<String> shadow,
        Duration timeBudget,
        Optional<Remember> cache) {

    /** The time budget of a fleet that names none. */
    public static final Duration TIME_BUDGET = Duration.ofSeconds(5);

    /** Copies the collections. */
    public Rules {
        verifiers = List.copyOf(verifiers);
        onUnavailable = Map.copyOf(onUnavailable);
        shadow = List.copyOf(shadow);
    }

    /** Asks in this order, with no shadow and no cache. */
    public static Rules of(List<String> verifiers, int required) {
        return new Rules(verifiers, required, Map.of(), List.of(), TIME_BUDGET, Optional.empty());
    }

    /**
     * How long answers are remembered, on this node.
     *
     * @param genuine how long <em>genuine</em> is remembered; zero for not at all
     * @param refused how long <em>refused</em> is remembered; zero for not at all
     * @param size how many answers at most
     */
    public record Remember(Duration genuine, Duration refused, int size) {}
}
