// SPDX-License-Identifier: Apache-2.0
package io.muster.cdi;

import jakarta.enterprise.context.spi.Context;
import jakarta.enterprise.context.spi.Contextual;
import jakarta.enterprise.context.spi.CreationalContext;
import java.lang.annotation.Annotation;

/** Finds the parts of the registry that the thread works in; by default that is the application's. */
final class RegistryContext implements Context {

    private final Parts application = new Parts();

    @Override
    public Class<? extends Annotation> getScope() {
        return RegistryScoped.class;
    }

    @Override
    public <T> T get(Contextual<T> part, CreationalContext<T> creation) {
        Parts parts = Parts.currentOr(application);
        return creation == null ? parts.get(part) : parts.get(part, creation);
    }

    @Override
    public <T> T get(Contextual<T> part) {
        return get(part, null);
    }

    @Override
    public boolean isActive() {
        return true;
    }

    Parts application() {
        return application;
    }
}
