// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import java.util.List;

/** The measurements of this node. Closed once, at the end. */
@Part
public final class Metrics implements AutoCloseable {

    private final PrometheusMeterRegistry meters;
    private final JvmGcMetrics collections = new JvmGcMetrics();

    @Inject
    Metrics(@Ours PrometheusMeterRegistry meters) {
        this.meters = meters;
        List.of(
                        new FileDescriptorMetrics(),
                        new JvmMemoryMetrics(),
                        new JvmThreadMetrics(),
                        new ProcessorMetrics(),
                        new UptimeMetrics(),
                        collections)
                .forEach(binder -> binder.bindTo(meters));
    }

    /** Returns them in Prometheus' text format (version 0.0.4). */
    public String text() {
        return meters.scrape();
    }

    /** Stops listening to the collections of garbage. */
    @Override
    public void close() {
        collections.close();
    }
}
