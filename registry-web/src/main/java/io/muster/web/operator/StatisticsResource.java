// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.cdi.Ours;
import io.muster.fleet.Fleets;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.statistics.Kind;
import io.muster.statistics.Statistics;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Numbers by hour, for charts of operators. */
@Path("/api/v1/statistics")
@ApplicationScoped
public class StatisticsResource {

    private static final Duration DAY = Duration.ofDays(1);
    /** A page reads no more series of numbers than this. */
    private static final int MOST_SERIES = 200;

    @Inject
    Fleets fleets;

    @Inject
    Statistics statistics;

    @Inject
    Bearer bearer;

    @Inject
    @Ours
    Clock clock;

    /** The numbers of one kind in one fleet. The cursor names one, and the hour from which on it is not listed yet. */
    private record Series(String fleet, Kind kind, Instant from) {

        static Optional<Series> of(String cursor) {
            String[] parts = cursor.split("/", -1);
            if (parts.length != 3 || !parts[2].matches("\\d{1,13}")) {
                return Optional.empty();
            }
            return Kind.of(parts[1])
                    .map(kind -> new Series(parts[0], kind, Instant.ofEpochMilli(Long.parseLong(parts[2]))));
        }

        String cursor() {
            return fleet + "/" + kind.word() + "/" + from.toEpochMilli();
        }
    }

    /** Lists counts by fleet, kind and hour. Fleets that the operator may not see are left out. */
    @GET
    @QueryNames({"fleet", "kind", "from", "to", "limit", "cursor"})
    public Response list(@Context HttpServletRequest request) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_READ);
        Query query = Query.of(request);
        Optional<String> fleet = query.get("fleet", "the name of a fleet", Optional::of);
        Optional<Kind> kind = query.get("kind", "a kind that the page on statistics names", Kind::of);
        Optional<Instant> end = time(query, "to");
        Instant to = end.orElseGet(clock::instant);
        Instant from = time(query, "from").orElseGet(() -> to.minus(DAY));
        if (!from.isBefore(to)) {
            query.fault("from must be before to");
        }
        Optional<Series> start = query.get("cursor", "the next of the page before", Series::of);
        int limit = query.limit();
        query.check();
        fleet.ifPresent(name -> {
            Bearer.require(operator, Right.DEVICES_READ, name, Fleets.NO_SUCH_FLEET);
            fleets.get(name);
        });
        List<Series> all = series(operator, fleet, kind, from, start);
        List<Map<String, Object>> counts = new ArrayList<>();
        Optional<String> next = Optional.empty();
        for (int i = 0; i < all.size() && next.isEmpty(); i++) {
            Series one = all.get(i);
            int room = limit - counts.size();
            if (room == 0 || i == MOST_SERIES) {
                next = Optional.of(one.cursor());
                break;
            }
            List<Statistics.Count> read = statistics.read(one.fleet(), one.kind(), one.from(), to, room);
            read.forEach(count -> counts.add(view(count)));
            if (read.size() == room) {
                Instant behind = read.get(room - 1).hour().plus(Duration.ofHours(1));
                next = Optional.of(new Series(one.fleet(), one.kind(), behind).cursor());
            }
        }
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("statistics", counts);
        next.ifPresent(cursor -> page.put("next", cursor));
        return Replies.json(page).build();
    }

    /** Returns what is to be read, in order: fleets by name, and the kinds of each. */
    private List<Series> series(
            Operator operator, Optional<String> fleet, Optional<Kind> kind, Instant from, Optional<Series> start) {
        List<Series> all = new ArrayList<>();
        fleet.map(List::of).orElseGet(() -> fleets.names().stream().sorted().toList()).stream()
                .filter(name -> operator.may(Right.DEVICES_READ, name))
                .forEach(name -> kind.map(List::of)
                        .orElseGet(() -> List.of(Kind.values()))
                        .forEach(one -> all.add(new Series(name, one, from))));
        start.ifPresent(begin -> {
            all.removeIf(one -> one.fleet().compareTo(begin.fleet()) < 0
                    || (one.fleet().equals(begin.fleet()) && one.kind().compareTo(begin.kind()) < 0));
            if (!all.isEmpty()
                    && all.get(0).fleet().equals(begin.fleet())
                    && all.get(0).kind() == begin.kind()
                    && begin.from().isAfter(from)) {
                all.set(0, begin);
            }
        });
        return all;
    }

    private static Optional<Instant> time(Query query, String name) {
        return query.get(name, "a time such as 2026-06-01T12:00:00Z", text -> {
            try {
                return Optional.of(Instant.parse(text))
                        .filter(time -> time.getEpochSecond() >= 0 && time.getEpochSecond() < 9_999_999_999L);
            } catch (DateTimeException e) {
                return Optional.empty();
            }
        });
    }

    private static Map<String, Object> view(Statistics.Count count) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("fleet", count.fleet());
        view.put("kind", count.kind().word());
        view.put("hour", count.hour().toString());
        view.put("count", count.amount());
        return view;
    }
}
