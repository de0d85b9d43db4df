// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.device.Device;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Json;
import io.muster.operator.Right;
import io.muster.search.DeviceFields;
import io.muster.search.DeviceSearch;
import io.muster.search.Expression;
import io.muster.search.ListSearch;
import io.muster.search.Sifted;
import io.muster.search.Sort;
import io.muster.verification.list.Lots;
import io.muster.verification.list.SerialList;
import io.muster.web.Accepted;
import io.muster.web.Bearer;
import io.muster.web.DeviceView;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Everything of a kind as one file, CSV or a JSON object in each line, read and written page by page. */
@Path("/api/v1/fleets/{fleet}/exports")
@ApplicationScoped
public class ExportsResource {

    private static final int PAGE = 100;
    private static final String LINE_END = "\r\n";
    private static final String INCOMPLETE = "THIS EXPORT IS INCOMPLETE, REQUEST IT AGAIN";
    private static final String TAGS = "tags";
    private static final String ATTRIBUTES = "attributes";

    @Inject
    Fleets fleets;

    @Inject
    DeviceSearch devices;

    @Inject
    ListSearch lists;

    @Inject
    Lots lots;

    @Inject
    Bearer bearer;

    /** A page of rows, each with its members, and the cursor of the next page. */
    private record Some(List<Map<String, Object>> rows, Optional<String> next) {}

    /** Exports the devices that match a filter, in the order in which they registered. */
    @GET
    @Path("/devices")
    @QueryNames({"filter"})
    public Response devices(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @Context HttpHeaders headers) {
        bearer.operator(request, Right.DEVICES_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Query query = Query.of(request);
        Optional<Expression> filter =
                DeviceQuery.filter(query, new DeviceFields(fleet.document().serials()));
        query.check();
        DeviceSearch.Wanted wanted = new DeviceSearch.Wanted(
                fleet.name(),
                filter.orElseGet(Expression::all),
                Optional.empty(),
                Optional.of(new Sort(Sort.Key.REGISTERED, false)));
        return export(
                headers,
                "devices",
                List.of("deviceId", "fleet", "serial", "name", "state", TAGS, ATTRIBUTES, "createdAt"),
                after -> {
                    DeviceSearch.Page page = devices.list(wanted, after, PAGE);
                    return new Some(
                            page.devices().stream()
                                    .map(device -> view(device, page))
                                    .toList(),
                            page.next());
                });
    }

    private static Map<String, Object> view(Device device, DeviceSearch.Page page) {
        return DeviceView.of(device, page.tags().get(device.id()));
    }

    /** Exports the expected and blocked serials that match a filter, in a form that can be imported again. */
    @GET
    @Path("/serials")
    @QueryNames({"filter"})
    public Response serials(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @Context HttpHeaders headers) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Query query = Query.of(request);
        Expression filter = DeviceQuery.filter(
                        query, ListSearch.serials(fleet.document().serials()))
                .orElseGet(Expression::all);
        query.check();
        SerialList.Filter any = new SerialList.Filter(Optional.empty(), Optional.empty());
        return export(
                headers,
                "serials",
                List.of("serial", "name", "lot", TAGS, ATTRIBUTES, "state", "reason"),
                after -> some(lists.serials(fleet.name(), filter, any, after, PAGE), ExportsResource::rows));
    }

    private static <T> Some some(Sifted<T> page, Function<T, List<Map<String, Object>>> rows) {
        return new Some(
                page.entries().stream().flatMap(one -> rows.apply(one).stream()).toList(), page.next());
    }

    /** Returns a row that lists the serial, and one that blocks it: an import takes the two apart. */
    private static List<Map<String, Object>> rows(SerialList.Entry entry) {
        List<Map<String, Object>> rows = new ArrayList<>();
        if (entry.listed()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("serial", entry.serial().serial());
            entry.serial().name().ifPresent(name -> row.put("name", name));
            entry.serial().lot().ifPresent(lot -> row.put("lot", lot));
            putUnlessEmpty(row, TAGS, entry.serial().tags());
            putUnlessEmpty(row, ATTRIBUTES, entry.serial().attributes());
            rows.add(row);
        }
        if (entry.state() == SerialList.State.BLOCKED) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("serial", entry.serial().serial());
            row.put("state", entry.state().word());
            entry.reason().ifPresent(reason -> row.put("reason", reason));
            rows.add(row);
        }
        return rows;
    }

    private static void putUnlessEmpty(Map<String, Object> row, String name, Map<String, ?> members) {
        if (!members.isEmpty()) {
            row.put(name, members);
        }
    }

    /** Exports the events of the fleet that match a filter, the newest first. */
    @GET
    @Path("/events")
    @QueryNames({"filter"})
    public Response events(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @Context HttpHeaders headers) {
        bearer.operator(request, Right.DEVICES_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        Query query = Query.of(request);
        Optional<Expression> filter = DeviceQuery.filter(query, ListSearch.events());
        query.check();
        return export(
                headers,
                "events",
                List.of("id", "at", "type", "fleet", "serial", "deviceId", "who", "detail"),
                before -> some(
                        lists.events(filter, fleet::equals, before, PAGE),
                        event -> List.of(EventsResource.view(event))));
    }

    /** Exports the lots of the fleet, by name. */
    @GET
    @Path("/lots")
    public Response lots(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @Context HttpHeaders headers) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        return export(
                headers, "lots", List.of("lot", "expected", "notBefore", "notAfter", "paused", "imported"), after -> {
                    List<Lots.Entry> page = lots.list(fleet, after, PAGE);
                    return new Some(
                            page.stream().map(LotsResource::view).toList(),
                            page.size() < PAGE
                                    ? Optional.empty()
                                    : Optional.of(page.get(PAGE - 1).lot().name()));
                });
    }

    private static Response export(
            HttpHeaders headers, String what, List<String> columns, Function<Optional<String>, Some> read) {
        MediaType type = Accepted.of(headers, Download.CSV, Download.NDJSON);
        boolean csv = type.equals(Download.CSV);
        return Download.of(
                type,
                what + (csv ? ".csv" : ".ndjson"),
                new Pages(csv, columns, read),
                (INCOMPLETE + LINE_END).getBytes(StandardCharsets.UTF_8));
    }

    /** The pages of an export, as bytes. */
    private static final class Pages implements Supplier<Optional<byte[]>> {

        private final boolean csv;
        private final List<String> columns;
        private final Function<Optional<String>, Some> read;
        private Optional<String> after = Optional.empty();
        private boolean begun;

        Pages(boolean csv, List<String> columns, Function<Optional<String>, Some> read) {
            this.csv = csv;
            this.columns = columns;
            this.read = read;
        }

        @Override
        public Optional<byte[]> get() {
            if (begun && after.isEmpty()) {
                return Optional.empty();
            }
            StringBuilder text = new StringBuilder();
            if (!begun && csv) {
                text.append(String.join(",", columns)).append(LINE_END);
            }
            Some some = read.apply(after);
            begun = true;
            after = some.next();
            some.rows().forEach(row -> text.append(csv ? line(row) : Json.text(row) + "\n"));
            return Optional.of(text.toString().getBytes(StandardCharsets.UTF_8));
        }

        private String line(Map<String, Object> row) {
            return columns.stream().map(column -> field(row.get(column))).collect(Collectors.joining(",")) + LINE_END;
        }

        private static String field(Object value) {
            if (value == null) {
                return "";
            }
            String text = value instanceof Map<?, ?> ? Json.text(value) : value.toString();
            return text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
                    ? text
                    : "\"" + text.replace("\"", "\"\"") + "\"";
        }
    }
}
