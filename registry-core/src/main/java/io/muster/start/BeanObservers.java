// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.cdi.Part;
import io.muster.plugin.Observers;
import jakarta.enterprise.context.control.RequestContextController;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.inject.Default;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.inject.Inject;

/** Delivers the events of {@code io.muster.spi} as CDI events to observer methods of beans. */
@Part
final class BeanObservers implements Observers {

    private final BeanManager beans;
    private final Event<Object> events;
    private final Instance<RequestContextController> requests;

    @Inject
    BeanObservers(BeanManager beans, Event<Object> events, Instance<RequestContextController> requests) {
        this.beans = beans;
        this.events = events;
        this.requests = requests;
    }

    /** Activates a request context, because no thread of the server calls this. */
    @Override
    public void accept(Object event) {
        RequestContextController request = requests.get();
        boolean activated = request.activate();
        try {
            events.fire(event);
        } finally {
            if (activated) {
                request.deactivate();
            }
            requests.destroy(request);
        }
    }

    @Override
    public boolean observe(Object event) {
        return !beans.resolveObserverMethods(event, Default.Literal.INSTANCE).isEmpty();
    }
}
