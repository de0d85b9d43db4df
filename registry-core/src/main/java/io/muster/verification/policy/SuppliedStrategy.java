// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.config.Settings;
import io.muster.plugin.PluginVerifier;
import io.muster.plugin.Plugins;
import io.muster.plugin.Services;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import java.util.ServiceConfigurationError;

/** A verifier type written by others. A plug-in can make several verifiers; a CDI bean is one. */
final class SuppliedStrategy implements Strategy {

    private final String type;
    private final SerialVerifier first;
    private final Services<SerialVerifier, PluginVerifier> plugins;

    /**
     * Makes verifiers of a plug-in or a bean.
     *
     * @param first the verifier that has the name of its type
     */
    SuppliedStrategy(String type, SerialVerifier first, Services<SerialVerifier, PluginVerifier> plugins) {
        this.type = type;
        this.first = first;
        this.plugins = plugins;
    }

    /** Tells whether it makes verifiers under names other than its own. */
    boolean makesOthers() {
        return plugins.jar(type).isPresent();
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        SerialVerifier verifier = first;
        if (!name.equals(type)) {
            try {
                verifier = plugins.another(type).orElseThrow();
            } catch (ServiceConfigurationError e) {
                settings.fault("type", "plug-in " + plugins.jar(type).orElse("") + ": " + e.getMessage());
                return first;
            }
        }
        Plugins.configure(verifier, settings);
        return verifier;
    }

    @Override
    public boolean asksOthers(SerialVerifier made) {
        return true;
    }
}
