// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.config.Sources;
import io.muster.plugin.NamedBeans;
import io.muster.plugin.Observers;
import java.time.Clock;
import java.util.Optional;

/**
 * The objects that a registry is given from outside.
 *
 * @param sources the configuration
 * @param beans verifiers and credential issuers that exist already
 * @param clock the time; the whole registry uses its milliseconds
 * @param observers get the events of {@code io.muster.spi}, on threads of their own; empty for those among the beans
 */
public record Surroundings(Sources sources, NamedBeans beans, Clock clock, Optional<Observers> observers) {}
