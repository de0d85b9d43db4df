// SPDX-License-Identifier: Apache-2.0
package io.muster.cdi;

import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.AfterBeanDiscovery;
import jakarta.enterprise.inject.spi.BeforeBeanDiscovery;
import jakarta.enterprise.inject.spi.Extension;

/** Tells the container of {@link RegistryScoped}. */
public final class RegistryExtension implements Extension {

    private final RegistryContext context = new RegistryContext();

    void scope(@Observes BeforeBeanDiscovery discovery) {
        discovery.addScope(RegistryScoped.class, false, false);
    }

    void context(@Observes AfterBeanDiscovery discovery) {
        discovery.addContext(context);
    }

    /** Returns the parts of the registry that the application runs. */
    public Parts application() {
        return context.application();
    }
}
