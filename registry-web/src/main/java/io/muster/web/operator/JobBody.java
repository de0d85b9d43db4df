// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.fleet.FleetDocument;
import io.muster.job.DeviceJob;
import io.muster.job.Job;
import io.muster.json.Fields;
import io.muster.search.DeviceFields;
import io.muster.search.FilterException;
import io.muster.search.FilterParser;
import io.muster.spi.DeviceId;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A request to do something with many devices, {@code {"action": "disable", "filter": "..."}}.
 *
 * @param what the members that the job keeps
 * @param total how many devices; empty if a filter finds them
 */
record JobBody(Job.Kind kind, Map<String, Object> what, Optional<Long> total, boolean dryRun) {

    private static final int MOST_DEVICES = 1000;

    /**
     * Reads it.
     *
     * @throws io.muster.problem.RegistryException {@code INVALID_REQUEST} with every fault
     */
    static JobBody parse(byte[] body, FleetDocument fleet, Clock clock) {
        Fields fields = Fields.of(body);
        Map<String, Object> what = new LinkedHashMap<>();
        Optional<Job.Kind> kind = fields.meaning(
                "action", "disable, enable, retire, revoke, rotate, tag or delete", word -> Job.Kind.of(word)
                        .filter(Job.Kind::isOfDevices));
        fields.require("action");
        Optional<List<String>> devices = devices(fields, fleet, what);
        if (kind.filter(one -> one == Job.Kind.TAG).isPresent()) {
            Map<String, String> tags = new LinkedHashMap<>();
            List<String> removed = new ArrayList<>();
            DevicePatchBody.tags(fields, fleet)
                    .forEach((name, text) ->
                            text.ifPresentOrElse(value -> tags.put(name, value), () -> removed.add(name)));
            fields.require(DeviceJob.TAGS);
            what.put(DeviceJob.TAGS, tags);
            what.put(DeviceJob.REMOVED_TAGS, removed);
        }
        if (kind.filter(one -> one == Job.Kind.ROTATE).isPresent()) {
            OrderBody.Window window = OrderBody.window(fields, clock);
            what.put(DeviceJob.NOT_BEFORE, window.notBefore().toString());
            what.put(DeviceJob.NOT_AFTER, window.notAfter().toString());
        }
        if (kind.filter(one -> one == Job.Kind.ROTATE || one == Job.Kind.REVOKE).isPresent()) {
            Members.reason(fields).ifPresent(reason -> what.put(DeviceJob.REASON, reason));
        }
        boolean dryRun = fields.flag("dryRun").orElse(false);
        fields.refuseNulls();
        fields.check();
        return new JobBody(kind.orElseThrow(), what, devices.map(list -> (long) list.size()), dryRun);
    }

    private static Optional<List<String>> devices(Fields fields, FleetDocument fleet, Map<String, Object> what) {
        Optional<String> filter = fields.text(DeviceJob.FILTER);
        filter.ifPresent(text -> {
            what.put(DeviceJob.FILTER, text);
            try {
                FilterParser.parse(text, new DeviceFields(fleet.serials()));
            } catch (FilterException e) {
                e.faults().forEach(fault -> fields.fault(DeviceJob.FILTER, fault));
            }
        });
        Optional<List<String>> devices = fields.meanings(
                DeviceJob.DEVICES,
                "an array of 1 to " + MOST_DEVICES + " ids of devices",
                size -> size >= 1 && size <= MOST_DEVICES,
                "the id of a device",
                text -> Optional.of(text).filter(DeviceId::isValid));
        devices.ifPresent(
                list -> what.put(DeviceJob.DEVICES, list.stream().distinct().toList()));
        boolean all = fields.flag(DeviceJob.ALL).orElse(false);
        if (all) {
            what.put(DeviceJob.ALL, true);
        }
        if (fields.faults().isEmpty()
                && (filter.isPresent() ? 1 : 0) + (devices.isPresent() ? 1 : 0) + (all ? 1 : 0) != 1) {
            fields.fault(DeviceJob.FILTER, "is required, or \"devices\", or \"all\": true, and only one of them");
        }
        return devices.map(list -> list.stream().distinct().toList());
    }
}
