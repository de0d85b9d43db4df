// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.ProblemType;
import io.muster.fleet.AttributeRule;
import io.muster.fleet.FleetDocument;
import io.muster.json.Fields;
import io.muster.problem.RegistryException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The attributes that a device reports, {@code {"attributes": {...}}}. A null removes. */
final class ReportBody {

    private ReportBody() {}

    /**
     * Reads a report.
     *
     * @param fleet the document of the device's fleet
     * @return the values by name; empty for an attribute that is to go
     * @throws RegistryException {@code FORBIDDEN} if the fleet lets its devices report nothing; {@code INVALID_REQUEST}
     *     with every fault
     */
    static Map<String, Optional<Object>> parse(byte[] body, FleetDocument fleet) {
        Map<String, AttributeRule> reported = fleet.reported();
        Fields fields = Fields.of(body);
        Map<String, Optional<Object>> attributes = new LinkedHashMap<>();
        fields.require("attributes");
        fields.object("attributes").ifPresent(members -> members.names().forEach(name -> {
            Optional<Object> value = members.scalar(name);
            AttributeRule rule = reported.get(name);
            if (rule == null) {
                members.fault(name, "is no attribute that the fleet lets its devices report");
            } else {
                value.flatMap(rule::fault).ifPresent(fault -> members.fault(name, fault));
                attributes.put(name, value);
            }
        }));
        if (reported.isEmpty()) {
            throw RegistryException.withDetail(
                    ProblemType.FORBIDDEN, "the fleet lets its devices report no attributes");
        }
        fields.check();
        return attributes;
    }
}
