// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.spi.Candidate;
import io.muster.spi.Configurable;
import io.muster.spi.PluginName;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import java.util.Map;
import java.util.Set;

/** A plug-in as an integrator writes one: found in the plug-in directory, with a setting of its own. */
@PluginName("from-directory")
public class DirectoryVerifier implements SerialVerifier, Configurable {

    private String prefix;

    @Override
    public void configure(Map<String, String> settings) {
        prefix = settings.get("prefix");
    }

    @Override
    public Set<String> settingNames() {
        return Set.of("prefix");
    }

    @Override
    public Verdict verify(Candidate candidate) {
        return candidate.serial().value().startsWith(prefix)
                ? Verdict.genuine(Map.of("found", "directory"))
                : Verdict.unknown();
    }
}
