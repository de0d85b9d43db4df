// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import io.muster.TestRegistry;
import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Identity providers by their names, at a clock that stands still. */
public final class TestProviders {

    private TestProviders() {}

    /** Returns the faults that a message lists. */
    public static List<String> faults(ConfigurationException thrown) {
        return thrown.getMessage()
                .lines()
                .skip(1)
                .map(line -> line.substring(4))
                .toList();
    }

    public static IdentityProviders of(Map<String, FakeProvider> fakes) {
        Map<String, String> all = new HashMap<>();
        fakes.forEach((name, fake) ->
                fake.settings().forEach((key, value) -> all.put("muster.users." + name + "." + key, value)));
        Settings settings = Settings.of("muster.", key -> Optional.ofNullable(all.get(key)));
        IdentityProviders providers = new IdentityProviders(
                new TreeSet<>(fakes.keySet()).stream().toList(),
                settings,
                all.keySet(),
                Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC));
        settings.check(all.keySet());
        return providers;
    }
}
